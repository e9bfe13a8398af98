"""What the Lifelong VAE's golden files share: inputs from their keys, injected weights, gradients by TF1 name."""

import re
from typing import Iterator

import numpy as np
import tensorflow as tf

from lib.errors import UserError
from lvae import lifelong
from lvae.config import Architecture, Config
from lvae.networks import Latents, Vae, build_vae, tf1_variables
from lvae.posterior import LatentNoise
from tests.golden import records
from tests.golden.records import Comparison

ROUNDING = 1e-6  # of records that are zero but for float32 rounding

# Under these names the files say how something was computed.
SETTINGS = frozenset({"x", "noise", "input", "coef", "B", "L", "K", "tau", "submodel", "total_true_models",
                      "mutual_info_reg", "is_training", "classes_added_by_forks", "variables_format", "config"})


def draw(entry: dict) -> np.ndarray:
    """The array of {key, shape, distribution}; without a distribution it is uniform in [0, 1)."""
    key, shape, text = entry["key"], entry["shape"], entry.get("distribution", "uniform [0,1)")
    if classes := re.search(r"floor\((\d+)\*u\)", text):
        # The class is found in float32, as the recording program found it.
        return np.floor(np.float32(classes[1]) * records.uniform(key, shape)).astype(np.int32)
    if text.startswith("standard normal"):
        return records.normal(key, shape)
    if bounds := re.match(r"uniform \[(-?\d+),(\d+)\)", text):
        return records.uniform(key, shape, float(bounds[1]), float(bounds[2]))
    raise UserError(f"{key}: unknown distribution {text!r}")


def config(shape: Architecture, **options) -> Config:
    """A configuration of the original program's lifelong class for networks of any size."""
    return Config("fashion_dnn", shape, **{"sequential": True, "tf1_exact": True} | options)


def architecture(values: dict[str, np.ndarray], x_shape: list[int], likelihood: str) -> Architecture:
    """The architecture of a model with these weights; x_shape is a batch's."""
    if any("/Conv/" in name for name in values):
        return Architecture("cnn", tuple(x_shape[1:]), likelihood)
    sizes = {body: tuple(value.shape[1] for name, value in values.items()
                         if f"/{body}/" in name and re.search(r"layer_\d+/weights$", name))
             for body in ("encoder", "generator")}
    return Architecture("dense", (1, 1, x_shape[1]), likelihood, sizes["encoder"], sizes["generator"])


def build(settings: Config, latents: Latents, values: dict[str, np.ndarray], name: str) -> tuple[Vae, dict]:
    """A VAE with the values of the one model among `values`, and its variables by TF1 name."""
    prefix, = {key.partition("/")[0] for key in values}
    scopes = tuple(dict.fromkeys(key.split("/")[2] for key in values))
    vae = build_vae(settings, latents, name=name)
    variables = tf1_variables(vae, prefix, scopes)
    inject(variables, values)
    return vae, variables


def shortened(values: dict, prefix: str, short: str) -> dict:
    """Names with the model's prefix replaced."""
    return {name.replace(prefix, short): value for name, value in values.items()}


def noise(entries: dict) -> dict[str, np.ndarray]:
    """The arrays of a case's `noise` by the last part of their labels."""
    return {label.rpartition("/")[2]: draw(entry) for label, entry in entries.items()}


def lifelong_noise(arrays: dict[str, np.ndarray], dtype="float32") -> lifelong.Noise:
    """The noise of one call of the lifelong class."""
    arrays = {name: tf.constant(array if array.dtype == np.int32 else array.astype(dtype))
              for name, array in arrays.items()}
    replay = (lifelong.ReplayNoise(arrays["replay_z"], arrays["replay_class"]) if "replay_z" in arrays else None)
    return lifelong.Noise(LatentNoise(arrays["gauss"], arrays["gumbel_u"]), arrays["mi_class"], replay)


def inject(variables: dict, values: dict[str, np.ndarray]) -> None:
    """Assign values to variables of the same names, all of them."""
    if variables.keys() != values.keys():
        raise UserError(f"variables differ from the port's: {sorted(variables.keys() ^ values.keys())[:3]} and others")
    for name, variable in variables.items():
        if tuple(variable.shape) != values[name].shape:
            raise UserError(f"{name} is {list(values[name].shape)} in the file, {list(variable.shape)} in the port")
        variable.assign(values[name])


def of_model(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name: value for name, value in values.items() if name.startswith(f"{prefix}/")}


def moving(variables: dict) -> dict[str, np.ndarray]:
    """The moving statistics among a model's variables."""
    return {name: variable.numpy() for name, variable in variables.items() if not variable.trainable}


def trained(variables: dict) -> dict[str, tf.Variable]:
    return {name: variable.value for name, variable in variables.items() if variable.trainable}


def gradients(tape: tf.GradientTape, cost, variables: dict) -> dict[str, np.ndarray]:
    """By TF1 name, for all trainable ones of `variables`."""
    return {name: gradient.numpy() for name, gradient in tape.gradient(cost, trained(variables)).items()}


def tensors(group: str, path: tuple, stored: dict, ours: dict, tolerance: float, key: str,
            **options) -> Iterator[Comparison]:
    """Compare those of `ours`, by name, that the file stores; `key` leads to a record's own key."""
    for name in stored.keys() & ours.keys():
        yield Comparison(group, (*path, name), np.asarray(ours[name]), tolerance, key=f"{key}/{name}", **options)


def normaliser_of(names) -> str | None:
    """The normaliser that a list of TF1 variable names speaks of."""
    text = " ".join(names)
    return "batch" if "BatchNorm" in text else "layer" if "LayerNorm" in text else None
