"""Logs people in with the real Tiled's LDAPAuthenticator: a list of [args, name, password] on stdin, answers on stdout."""

import asyncio
import json
import sys

from tiled.authenticators import LDAPAuthenticator


async def attempt(args, name, password):
    try:
        state = await LDAPAuthenticator(**args).authenticate(name, password)
    except Exception as error:
        return {"error": type(error).__name__}
    return None if state is None else {"id": state.user_name, "state": state.state}


async def main():
    print(json.dumps([await attempt(*one) for one in json.load(sys.stdin)], default=str))


asyncio.run(main())
