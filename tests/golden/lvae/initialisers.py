"""Topic `initialisers`: every variable of a fresh model, in order, and the distribution of its initial values."""

import functools
import math
import re

import keras
import numpy as np

from lvae import fork, lifelong
from lvae.checkpoint import TF1Model, tf1_model
from lvae.config import Architecture
from lvae.networks import Latents
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS

_SIGMAS = 5.0  # a mean or a standard deviation may be off by so many of its own standard errors
_EXTREMES = 0.35  # relative, of the smallest and the largest of many values


def cases(document):
    return {f"models/{group}": functools.partial(_models, document, group) for group in document["models"]}


def _models(document, group):
    """The one record of a model is its name; the list of its variables, elsewhere a setting, is checked with it."""
    for number, stored in enumerate(document["models"][group]):
        model = _build(number, stored)
        differences = list(_differences(model, stored["variables"]))
        yield Comparison(group, ("models", group, number, "model_name"), "; ".join(differences) or model.prefix,
                         records.EXACT)


def _differences(model, stored):
    """What of the variables, their order, shapes, kinds and initial values is not as listed."""
    entries, values = _entries(model)
    rows = [[name, *entry] for name, entry in common.shortened(entries, model.prefix, "P").items()]
    if len(rows) != len(stored):
        yield f"{len(rows)} variables instead of {len(stored)}"
    for row, theirs, value in zip(rows, stored, values):
        if row[:4] != theirs[:4] or not math.isclose(row[4], theirs[4], rel_tol=1e-6, abs_tol=1e-9):
            yield f"{row} instead of {theirs[:5]}"
        elif len(theirs) > 5 and not _alike(value, theirs[5]):
            yield f"{row[0]}: other initial values than {theirs[5]}"


def _alike(value, statistics) -> bool:
    """Whether values may come from the distribution that the statistics of another draw describe."""
    standard, error = float(value.std()), 1.0 / math.sqrt(value.size)
    return (abs(value.mean()) <= _SIGMAS * standard * error
            and math.isclose(standard, statistics["std"], rel_tol=_SIGMAS * error)
            and math.isclose(value.min(), statistics["min"], rel_tol=_EXTREMES)
            and math.isclose(value.max(), statistics["max"], rel_tol=_EXTREMES))


def _build(number, stored) -> TF1Model:
    """A fresh model with the sizes that its name and its variables speak of."""
    shapes = {name: shape for name, shape, *_ in stored["variables"]}
    weights = [shape for name, shape in shapes.items() if re.fullmatch(r"P/(encoder|generator)/.*/weights", name)]
    text = stored["model_name"]
    size, rate = int(re.search(r"latentsize(\d+)", text)[1]), float(re.search(r"learningrate([^_]+)", text)[1])
    regulariser = float(re.search(r"mutintoreg(.+)", text)[1])
    if "cifar_decoder" in text:
        channels, outputs = weights[0][2], weights[-1][-1]
        shape = Architecture("cnn", (32, 32, channels), "bernoulli" if outputs == channels else "logistic")
        encoded = int(re.search(r"fc(\d+)", text)[1]) + number
    else:
        sizes = {body: tuple(shape[1] for name, shape in shapes.items()
                             if re.fullmatch(rf"P/{body}/.*/layer_\d+/weights", name))
                 for body in ("encoder", "generator")}
        doubled = weights[-1][1] == 2 * weights[0][0]
        shape = Architecture("dense", (1, 1, weights[0][0]), "logistic" if doubled else "bernoulli",
                             sizes["encoder"], sizes["generator"])
        encoded = shapes[next(name for name in shapes if re.fullmatch(r"P/encoder/.*/projection/weights", name))][1]
    kind = common.normaliser_of(shapes)
    config = common.config(shape, latent_size=size, learning_rate=rate, mutual_info_reg=regulariser,
                           use_bn=kind == "batch", use_ln=kind == "layer")
    lineage = lifelong.Lineage(Latents(size, encoded - 2 * size - number), number, number)
    return tf1_model(config, lineage, *fork.build_student(config, lineage))


def _entries(model: TF1Model) -> tuple[dict, list]:
    """{TF1 name: [shape, trained, kind of distribution, its bound]}, and the values."""
    weights = model.weights()
    layers = {id(layer.kernel): layer for body in (model.vae.encoder, model.vae.decoder) for layer in body.affine}
    entries, values = {}, []
    for name, value in model.variables().items():
        array = np.asarray(value)
        layer = layers.get(id(value))
        kind, bound = _distribution(layer, array) if layer else ("constant", float(np.float32(array.flat[0])))
        trained = "trainable" if name in weights and weights[name].trainable else "not trained"
        entries[name] = [list(array.shape), trained, kind, round(bound, 12)]
        values.append(array)
        if kind == "constant" and not (array == array.flat[0]).all():
            entries[name][2] = "not constant"
    return entries, values


def _distribution(layer, array) -> tuple[str, float]:
    initializer = layer.kernel_initializer
    if isinstance(initializer, keras.initializers.GlorotUniform):
        fans = math.prod(array.shape[:-2]) * (array.shape[-2] + array.shape[-1])
        return "uniform_symmetric", math.sqrt(6.0 / fans)
    if isinstance(initializer, keras.initializers.TruncatedNormal):
        return "truncated_normal_2sd", initializer.stddev
    return "normal", initializer.stddev
