"""Decorators of the real middle_auth_client that the service of example_configs/cave does without: cave_decorators.py TOKEN...

Prints a JSON list of statuses for each token, in the order of PATHS. AUTH_TOKEN is the service's.
"""

import json
import os
import sys

from flask import Flask, jsonify
from middle_auth_client import (
    auth_requires_admin,
    auth_requires_dataset_admin,
    auth_requires_permission,
    user_has_permission,
)

PATHS = ["/admin", "/dataset/fish1", "/public/fish1/1", "/public/fish1", "/has/fish1", "/graph/minnie3_v1"]
service_token = os.environ["AUTH_TOKEN"]
app = Flask(__name__)
app.config["AUTH_TOKEN"] = service_token


@app.get("/admin")
@auth_requires_admin
def admin():
    return jsonify("superadmin")


@app.get("/dataset/<table_id>")
@auth_requires_dataset_admin()
def dataset(table_id):
    return jsonify(table_id)


# These ask whether the cell, or any of the table, is public.
@app.get("/public/<table_id>/<int:root>")
@auth_requires_permission("view", public_table_key="table_id", public_node_key="root", service_token=service_token)
def public_root(table_id, root):
    return jsonify(root)


@app.get("/public/<table_id>")
@auth_requires_permission("view", public_table_key="table_id", service_token=service_token)
def public_table(table_id):
    return jsonify(table_id)


@app.get("/has/<table_id>")
@auth_requires_permission("view", dataset="fish")
def has(table_id):
    return jsonify(table_id) if user_has_permission("edit", table_id, "datastack") else ("no", 403)


@app.get("/graph/<table_id>")
@auth_requires_permission("view", resource_namespace="pychunkedgraph", ignore_tos=True)
def graph(table_id):
    return jsonify(table_id)


client = app.test_client()
for token in sys.argv[1:]:
    headers = {"Authorization": f"Bearer {token}"}
    print(json.dumps([client.get(path, headers=headers).status_code for path in PATHS]))
