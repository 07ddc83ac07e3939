"""Tag definitions for the catalog of a real Tiled: access.py compile URI FILE GROUPS, access.py fill URL KEY TAGS."""

import asyncio
import json
import sys

import numpy
from tiled.access_control.access_tags import AccessTagsCompiler
from tiled.access_control.scopes import ALL_SCOPES
from tiled.client import from_uri
from tiled.server.settings import DatabaseSettings


def compile(uri, file, groups):
    """As an operator does: the file of definitions into the catalog's database."""
    members = json.loads(groups)

    async def work():
        compiler = AccessTagsCompiler(ALL_SCOPES, file, DatabaseSettings(uri=uri), members.__getitem__)
        compiler.load_tag_config()
        await compiler.compile()

    asyncio.run(work())


def fill(url, key, tags):
    """A container for each name, with the tags that it is given, and an array in it."""
    client = from_uri(url, api_key=key)
    for name, names in json.loads(tags).items():
        box = client.create_container(name, access_tags=names)
        box.write_array(numpy.arange(3, dtype="int32"), key="x", access_tags=names)


globals()[sys.argv[1]](*sys.argv[2:])
