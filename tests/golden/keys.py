"""The arrays behind a golden file's keys, and the digests of its tensors; for Python 2.7 (`record.py`), too."""

import zlib

import numpy as np


def stream(key):
    """A stream of random numbers that NumPy has frozen."""
    return np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)


def uniform(key, shape, low=0.0, high=1.0):
    return stream(key).uniform(low, high, shape).astype(np.float32)


def normal(key, shape):
    return stream(key).standard_normal(shape).astype(np.float32)


def integers(key, shape, low, high):
    """low <= value < high, drawn as integers."""
    return stream(key).randint(low, high, shape)


def floored(key, shape, low, high):
    """low <= value < high, drawn as uniform float32 numbers and rounded down."""
    return np.floor(uniform(key, shape, low, high)).astype(np.int64)


def _entries(table):
    """(name, shape, low, high, added, key or None) of a table of variables in any of the three systems' forms."""
    for item in table.items() if isinstance(table, dict) else table:
        if isinstance(item, dict):
            item = (item["name"], item)
        if len(item) == 2:
            name, entry = item
            added = entry.get("add", entry.get("plus", _added(entry["kind"])))
            yield name, entry["shape"], entry["lo"], entry["hi"], added, entry.get("key")
        else:
            name, shape, kind, low, high = item
            yield name, shape, low, high, _added(kind), None


def _added(kind):
    return 1.0 if kind in ("scale", "moving_variance") else 0.0


def weights(prefix, table):
    """{TF1 name: float32 value} of every variable of a table."""
    return {name: np.float32(added) + uniform(key or "{}/w/{}".format(prefix, name), shape, low, high)
            for name, shape, low, high, added, key in _entries(table)}


def digest(tensor, key):
    """What a golden file holds of a tensor, computed in float64."""
    flat = np.asarray(tensor, np.float64).ravel()
    return {"shape": list(np.shape(tensor)), "mean": float(flat.mean()), "l2": float(np.linalg.norm(flat)),
            "proj": float(flat.dot(stream("proj/" + key).uniform(-1, 1, flat.size))), "head": flat[:6].tolist()}
