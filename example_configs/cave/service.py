"""A service behind middle_auth_client, and the routes of an info service that caveclient asks for.

    python service.py        # AUTH_URI, STICKY_AUTH_URL and AUTH_TOKEN in the environment, and PORT unless it is 5000

A gateway serves it under /example and /info.
"""

import logging
import os

import waitress
from flask import Flask, g, jsonify
from middle_auth_client import (
    auth_required,
    auth_requires_permission,
    get_usernames,
    user_has_permission,
    users_share_common_group,
)
from middle_auth_client.decorators import auth_requires_group

app = Flask(__name__)
# middle_auth_client reads these two from Flask's configuration, and its other settings from the environment.
app.config["AUTH_TOKEN"] = os.environ["AUTH_TOKEN"]
app.config["AUTH_SHARED_EXCLUDED_GROUPS"] = os.environ.get("AUTH_SHARED_EXCLUDED_GROUPS", "").split(",")
# Where caveclient finds the services of a datastack: here, the same server.
LOCAL_SERVER = "https://" + os.environ["AUTH_URI"].removesuffix("/auth")


@app.get("/healthz")
def health():
    return "ok"


@app.get("/example/me")
@auth_required
def me():
    return jsonify({name: g.auth_user[name] for name in ("id", "name", "email", "admin", "groups")})


@app.get("/example/table/<table_id>")
@auth_requires_permission("view", table_arg="table_id")
def look(table_id):
    return jsonify({"table": table_id, "rows": [1, 2, 3]})


@app.post("/example/table/<table_id>")
@auth_requires_permission("edit", table_arg="table_id")
def edit(table_id):
    return jsonify({"table": table_id, "saved": True})


@app.get("/example/fish_lab")
@auth_requires_group("fish_lab")
def fish_lab():
    return jsonify("Only for the members of fish_lab.")


@app.get("/example/colleague/<int:user_id>")
@auth_required
def colleague(user_id):
    """The name of a person who shares a group with the caller."""
    if not users_share_common_group(user_id):
        return jsonify({"message": "You share no group."}), 403
    return jsonify(get_usernames([user_id], g.auth_token)[0])


# The real info service describes datastacks (https://github.com/CAVEconnectome/AnnotationFrameworkInfoService).


@app.get("/info/version")
def version():
    return jsonify("4.4.0")


@app.get("/info/api/v2/datastacks")
@auth_required
def datastacks():
    """Those that the caller may see."""
    return jsonify([name for name in ("fish1", "minnie65") if user_has_permission("view", name, "datastack")])


@app.get("/info/api/v2/datastack/full/<datastack>")
@auth_requires_permission("view", table_arg="datastack")
def datastack_info(datastack):
    volume = {"id": 1, "name": datastack, "image_source": "", "description": ""}
    return jsonify({"aligned_volume": volume, "segmentation_source": "", "local_server": LOCAL_SERVER})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    waitress.serve(
        app,
        listen=f"127.0.0.1:{os.environ.get('PORT', '5000')}",
        # The gateway: flask.request.url must be the address that the browser shows.
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers={"x-forwarded-proto", "x-forwarded-host"},
    )
