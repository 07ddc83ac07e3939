"""What the real Python client reads of a tree: trees.py SCENARIO URL KEY [ARGUMENTS].

Reports one line of JSON behind "REPORT ", as client.py does.
"""

import hashlib
import json
import sys

import numpy
from tiled.client import from_uri

HALF = 8_000_000


def array(client):
    """Whole where that is no more than a few megabytes, else a slice of every dimension and one block."""
    report = {"type": str(client.dtype), "shape": list(client.shape), "chunks": [list(c) for c in client.chunks]}
    if client.size * client.dtype.itemsize <= HALF:
        data = numpy.asarray(client.read())
        report["data"] = hashlib.sha256(data.tobytes()).hexdigest()
    else:
        pick = tuple(slice(1, None, max(1, length // 5)) for length in client.shape)
        report["slice"] = hashlib.sha256(numpy.asarray(client[pick]).tobytes()).hexdigest()
        end = tuple(slice(-3, None) for _ in client.shape)
        report["end"] = numpy.asarray(client[end]).ravel()[:3].tolist()
    return report


def table(client):
    frame = client.read()
    return {
        "partitions": client.structure().npartitions,
        "columns": client.columns,
        "types": {name: str(frame[name].dtype) for name in frame.columns},
        "index": [frame.index.name, int(frame.index[0]), int(frame.index[-1])],
        "data": {name: digest(frame[name].to_numpy()) for name in frame.columns},
        "as arrays": {name: array(client[name]) for name in client.columns[:3]},
    }


def digest(values):
    if values.dtype.kind == "O":
        values = values.astype(str)
    return hashlib.sha256(numpy.ascontiguousarray(values).tobytes()).hexdigest()


def dataset(client):
    data = client.read()
    return {
        "coordinates": sorted(map(str, data.coords)),
        "sizes": dict(data.sizes),
        "variables": {str(name): [str(v.dtype), list(v.dims), digest(v.to_numpy())] for name, v in data.variables.items()},
    }


def describe(client, skip):
    kind = type(client).__name__
    report = {"kind": kind, "metadata": json.loads(json.dumps(dict(client.metadata), default=str))}
    if kind == "DatasetClient":
        return {**report, **dataset(client)}
    if kind == "Container":
        keys = [key for key in client if key not in skip]
        return {**report, "keys": keys, "below": {key: describe(client[key], skip) for key in keys}}
    return {**report, **(table(client) if kind == "DataFrameClient" else array(client))}


def main(url, key, *skip):
    print("REPORT", json.dumps(describe(from_uri(url, api_key=key), set(skip))))


main(*sys.argv[1:])
