"""Deletes an identity with the real Tiled's own models, adds it again, and deletes another; prints the rows that are left."""

import asyncio
import json
import sys

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tiled.authn_database.orm import Identity
from tiled.server.connection_pool import open_database_connection_pool
from tiled.server.settings import DatabaseSettings


async def main(uri):
    engine = open_database_connection_pool(DatabaseSettings(uri=uri))
    async with AsyncSession(engine) as db:

        async def find(name):
            return (await db.execute(select(Identity).filter(Identity.id == name))).scalar_one()

        ann = await find("ann")
        principal = ann.principal_id
        for identity in [ann, await find("bob")]:
            await db.delete(identity)
        await db.commit()
        db.add(Identity(id="ann", provider="toy", principal_id=principal))
        db.add(Identity(id="annie", provider="toy", principal_id=principal))
        await db.commit()
        left = (await db.execute(select(Identity.id).order_by(Identity.id))).scalars()
        print(json.dumps(list(left)))
    await engine.dispose()


asyncio.run(main(sys.argv[1]))
