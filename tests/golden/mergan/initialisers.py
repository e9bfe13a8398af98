"""Topic `initialisers`: what every variable is filled with when it is created.

Bounds and deviations are those of the layers' initialisers, provided that the values look drawn from them.
"""

import functools
import itertools
import math

import keras
import numpy as np

from lib.classifiers import networks
from lib.errors import UserError
from lib.mergan.config import DATASETS
from lib.mergan.networks import build_networks, tf1_variables
from tests.golden import records
from tests.golden.records import Comparison

SETTINGS = frozenset({"name"})


def cases(document):
    compare = {"networks": _networks, "classifiers": _classifier}
    return {f"{kind}/{name}": functools.partial(compare[kind], document, name)
            for kind in compare for name in document[kind]}


def _networks(document, name: str):
    entries = document["networks"][name]
    model = _networks_with({entry["name"]: entry["shape"] for entry in entries}, f"{document.path}: {name}")
    return _entries(("networks", name), entries, *model)


def _classifier(document, dataset: str):
    classifier = networks.build_classifier(dataset)
    return _entries(("classifiers", dataset), document["classifiers"][dataset], networks.tf1_names(classifier),
                    _initialisers(classifier.parts()))


def _entries(path, entries, variables, initialisers):
    for number, entry in enumerate(entries):
        variable = variables[entry["name"]]
        ours = {"shape": list(variable.shape), "trainable": variable.trainable,
                **_distribution(variable.numpy(), initialisers.get(id(variable)))}
        for field in entry.keys() - SETTINGS:
            yield Comparison(path[1], (*path, number, field), ours.get(field),
                             records.OUTPUTS if isinstance(entry[field], float) else records.EXACT)


def _networks_with(shapes: dict[str, list], where: str):
    """Variables by TF1 name, and initialisers, of the networks that have the variables of these shapes."""
    for side, channels in dict.fromkeys((data.side, data.channels) for data in DATASETS.values()):
        variables, initialisers = _built(side, channels)
        if {name: list(variable.shape) for name, variable in variables.items()} == shapes:
            return variables, initialisers
    raise UserError(f"{where}: no data set's networks have variables of these names and shapes")


@functools.cache
def _built(side: int, channels: int):
    data = next(data for data in DATASETS.values() if (data.side, data.channels) == (side, channels))
    networks = build_networks(data, replay=False)
    parts = itertools.chain(networks.generator.parts(), networks.critic.parts())
    return tf1_variables(networks), _initialisers(parts)


def _initialisers(layers) -> dict:
    """By identity of the kernel or bias. The norms' variables are recognised by their values."""
    found = {}
    for layer in layers:
        if hasattr(layer, "kernel_initializer"):
            found[id(layer.kernel)] = layer.kernel_initializer
            if layer.use_bias:
                found[id(layer.bias)] = layer.bias_initializer
    return found


def _distribution(values: np.ndarray, initialiser) -> dict:
    if not values.any():
        return {"dist": "zeros"}
    if (values == 1).all():
        return {"dist": "ones"}
    if isinstance(initialiser, keras.initializers.RandomUniform):
        low, high = initialiser.minval, initialiser.maxval
        if not (low <= values.min() <= 0.9 * low and 0.9 * high <= values.max() <= high):
            low, high = float(values.min()), float(values.max())
        return {"dist": "uniform", "low": low, "high": high, "stddev": (high - low) / math.sqrt(12)}
    if isinstance(initialiser, keras.initializers.TruncatedNormal):
        cut = 2 * initialiser.stddev
        drawn = np.abs(values - initialiser.mean).max() <= cut * (1 + 1e-6)
        return {"dist": "truncated_normal", "mean": initialiser.mean,
                "stddev": initialiser.stddev if drawn else float(values.std())}
    return {"dist": type(initialiser).__name__}
