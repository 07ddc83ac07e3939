"""Creates a service account, and prints a token for it, which AUTH_TOKEN of that service is set to.

    python service_token.py https://cave.example.org admin "Example service"

Asks for the administrator's password, unless it is in ADMIN_PASSWORD, or an API key of an administrator is in TILED_API_KEY.
"""

import getpass
import os
import sys

import requests

PROVIDER = "lab"

server, username, note = sys.argv[1:]
api = f"{server}/api/v1/auth"


def post(path, **options):
    response = requests.post(api + path, timeout=30, **options)
    if not response.ok:
        sys.exit(f"{response.status_code} at {api}{path}: {response.text}")
    return response.json()


def authorization():
    if key := os.environ.get("TILED_API_KEY"):
        return "Apikey " + key
    password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass()
    login = post(f"/provider/{PROVIDER}/token", data={"username": username, "password": password})
    return "Bearer " + login["access_token"]


admin = {"Authorization": authorization()}
service = post("/principal", params={"role": "user", "note": note}, headers=admin)
options = {"scopes": ["cave"], "expires_in": None, "note": note}
key = post(f"/principal/{service['uuid']}/apikey", json=options, headers=admin)
print(key["secret"])
