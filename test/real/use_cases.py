"""What a person sees with the real client: use_cases.py URL [KEY]. Without a key, as the person of TILED_API_KEY or of a login.

Walks the tree and reads the first array of each container; reports one line of JSON behind "REPORT ".
"""

import json
import sys

from tiled.client import from_uri


def see(client):
    seen = {}
    for key in client:
        node = client[key]
        kind = type(node).__name__
        if kind == "Container":
            seen[key] = see(node)
        elif kind == "ArrayClient":
            seen[key] = attempt(lambda: str(node[(0,) * node.ndim]))
        else:
            seen[key] = kind
    return seen


def attempt(function):
    try:
        return function()
    except Exception as error:
        return str(error).strip().split(":")[0]


def main(url, *key):
    try:
        client = from_uri(url, api_key=key[0] if key else None)
    except Exception as error:
        return {"refused": type(error).__name__}
    report = {"sees": see(client), "count": len(client), "missing": attempt(lambda: client["chemistry"])}
    return {**report, "missing": str(report["missing"])[:20] if "chemistry" not in report["sees"] else None}


print("\nREPORT", json.dumps(main(*sys.argv[1:])), flush=True)
