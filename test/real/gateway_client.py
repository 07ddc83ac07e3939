"""What people do with the real client and a Tiled behind the gateway: gateway_client.py SCENARIO URL ARGUMENTS...

A login types a name and a password at the prompt, or has TILED_API_KEY. Reports one line of JSON behind "REPORT ".
"""

import hashlib
import json
import queue
import sys

import numpy
import pandas
from tiled.client import from_uri
from tiled.queries import Key


def digest(data):
    return [str(data.dtype), list(data.shape), hashlib.sha256(data.tobytes()).hexdigest()[:16]]


def attempt(function):
    try:
        return function()
    except Exception as error:
        return str(error).strip().split("\n")[0]


def see(url):
    """Everything of the minimal tree, as `client.py` sees it elsewhere."""
    client = from_uri(url)
    frame = client["C"].read()
    return {
        "keys": list(client),
        "count": len(client),
        "array": digest(client["A"].read()),
        "slice": digest(client["B"][2:5, :3, 0]),
        "block": digest(client["A"].read_block((0, 0))),
        "table": {name: digest(frame[name].to_numpy()) for name in frame.columns},
        "dataset": digest(client["D"].read()["temperature"].to_numpy()),
        "link": client["A"].uri,
        "who": [identity["id"] for identity in (client.context.whoami() or {"identities": []})["identities"]]
        if client.context.server_info.authentication.providers
        else None,
    }


def look(url, *key):
    """As little as tells whether one may."""
    try:
        client = from_uri(url, api_key=key[0] if key else None)
        return {"keys": list(client), "first": float(client["A"][0, 0])}
    except Exception as error:
        return {"refused": type(error).__name__}


def write(url):
    """A catalog is filled, searched, changed, exported and emptied."""
    client = from_uri(url)
    box = client.create_container("box", metadata={"sample": "x"})
    numbers = numpy.arange(3_000_000, dtype="int64").reshape(3000, 1000)
    array = box.write_array(numbers, key="array", metadata={"colour": "red"})
    box.write_array(numpy.ones(3), key="other", metadata={"colour": "blue"})
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})
    table = box.write_table(frame, key="table")
    table.write(frame * 2)
    array.patch(numpy.full((1, 1000), -1), offset=(0, 0))
    array.update_metadata({"colour": "green"})
    report = {
        "same": bool((client["box", "array"].read()[1:] == numbers[1:]).all()),
        "patched": int(client["box", "array"][0, 5]),
        "table": client["box", "table"].read().to_dict("list"),
        "green": list(box.search(Key("colour") == "green")),
        "blue": list(box.search(Key("colour") == "blue")),
        "distinct": sorted(str(item["value"]) for item in box.distinct("colour")["metadata"]["colour"]),
        "revisions": len(array.metadata_revisions[:]),
        "keys": list(box),
    }
    box.delete_contents("other", external_only=False)
    box.delete_contents("array", external_only=False)
    report["left"] = list(client["box"])
    return report


def narrow(url):
    """A key that may read: who refuses what it may not?"""
    client = from_uri(url)
    return {
        "keys": list(client["box"]),
        "read": client["box", "table"].read().to_dict("list"),
        "write": attempt(lambda: client["box"].write_array(numpy.ones(3), key="mine")),
        "delete": attempt(lambda: client["box"].delete_contents("table", external_only=False)),
        "update": attempt(lambda: client["box"].update_metadata({"sample": "y"})),
    }


def stream(url):
    """Subscriptions hear of what is written while they are open."""
    client = from_uri(url)
    box = client.create_container("live")
    array = box.write_array(numpy.zeros(3), key="array")
    heard = queue.Queue()

    def on_child(update):
        heard.put(["child", update.key])

    def on_data(update):
        heard.put(["data", update.data().tolist()])

    containers, arrays = box.subscribe(), array.subscribe()
    containers.child_created.add_callback(on_child)
    arrays.new_data.add_callback(on_data)
    containers.start_in_thread()
    arrays.start_in_thread()
    events = []
    for number in range(1, 4):
        array.write(numpy.full(3, float(number)))
        events.append(heard.get(timeout=20))
    box.write_array(numpy.ones(2), key="another")
    events.append(heard.get(timeout=20))
    # The keys that opened them are gone by now.
    keys = [key["note"] for key in client.context.whoami()["api_keys"]]
    containers.disconnect()
    arrays.disconnect()
    return {"events": events, "keys": keys}


scenarios = {"see": see, "look": look, "write": write, "narrow": narrow, "stream": stream}
print("\nREPORT", json.dumps(scenarios[sys.argv[1]](*sys.argv[2:])), flush=True)
