"""Creates a service account, and prints a token for it, which AUTH_TOKEN of that service is set to.

    python service_token.py https://cave.example.org admin "Example service"

Asks for the administrator's password, unless it is in ADMIN_PASSWORD.
"""

import getpass
import os
import sys

import requests

server, username, note = sys.argv[1:]
api = f"{server}/api/v1/auth"
password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass()


def post(path, **options):
    response = requests.post(api + path, timeout=30, **options)
    response.raise_for_status()
    return response.json()


login = post("/provider/lab/token", data={"username": username, "password": password})
admin = {"Authorization": "Bearer " + login["access_token"]}
service = post("/principal", params={"role": "user", "note": note}, headers=admin)
options = {"scopes": ["cave"], "expires_in": None, "note": note}
key = post(f"/principal/{service['uuid']}/apikey", json=options, headers=admin)
print(key["secret"])
