"""A device login with the real Python client: device_client.py URL

The client is unmodified. It prints the address and the code by itself; what happened is reported as one line of JSON
behind "REPORT ".
"""

import json
import sys

from tiled.client import from_uri


def report(**facts):
    print("REPORT " + json.dumps(facts), flush=True)


def main(url):
    client = from_uri(url)
    context = client.context
    login = getattr(client, "login", None) or context.login
    try:
        login()
    except Exception as error:
        report(raised=type(error).__name__, text=str(error).strip().split("\n")[0])
        return
    identities = [dict(identity) for identity in context.whoami()["identities"]]
    report(
        identities=[[identity["provider"], identity["id"]] for identity in identities],
        nodes=sorted(client),
    )


if __name__ == "__main__":
    main(sys.argv[1])
