"""The models that have a counterpart in the TF1 programs: the table that `python -m lib.tf1` works by."""

import importlib
from typing import NamedTuple

import numpy as np

from lib.errors import UserError


class Interchange(NamedTuple):
    """A model as both sides see it."""

    networks: dict  # name -> Keras model; in files `<name>.weights.h5`
    variables: dict  # TF1 name -> variable, all that the TF1 program's checkpoint holds


class Model(NamedTuple):
    """How to build an `Interchange`, and one variable that only checkpoints of this model have."""

    module: str  # its function `build` is called with:
    arguments: tuple
    mark: str  # its name, or the end of it
    mark_shape: tuple[int, ...]
    as_found: bool = False  # names and shapes depend on the run: `build` takes a checkpoint's values, too


_MERGAN = "lib.mergan.interchange"
_MEMORYGAN = "memorygan.interchange"
_LVAE = "lvae.interchange"

MODELS = {
    "mergan-mnist": Model(_MERGAN, ("mnist", False), "Old.Generator.5/Old.Generator.5.Filters", (5, 5, 1, 32)),
    "mergan-svhn": Model(_MERGAN, ("svhn", False), "Old.Generator.5/Old.Generator.5.Filters", (5, 5, 3, 32)),
    "mergan-lsun": Model(_MERGAN, ("lsun", False), "Old.Generator.Output/Old.Generator.Output.Biases", (3,)),
    "joint-mnist": Model(_MERGAN, ("mnist", True), "New.Generator.5/New.Generator.5.Filters/Adam", (5, 5, 1, 32)),
    "joint-svhn": Model(_MERGAN, ("svhn", True), "New.Generator.5/New.Generator.5.Filters/Adam", (5, 5, 3, 32)),
    "joint-lsun": Model(_MERGAN, ("lsun", True), "New.Generator.Output/New.Generator.Output.Biases/Adam", (3,)),
    "memorygan-fashion": Model(_MEMORYGAN, ("fashion",), "d_/Conv_3/weights", (4, 4, 256, 256)),
    "memorygan-affmnist": Model(_MEMORYGAN, ("affmnist",), "d_/Conv_5/weights", (5, 5, 256, 256)),
    "memorygan-cifar10": Model(_MEMORYGAN, ("cifar10",), "d_/Conv_10/weights", (4, 4, 128, 512)),
    "memorygan-celeba": Model(_MEMORYGAN, ("celeba",), "d_/Conv_13/weights", (4, 4, 128, 512)),
    "lvae-dense": Model(_LVAE, ("dense",), "/generator/decoder/layer/layer_2/weights", (512, 512), as_found=True),
    "lvae-cnn": Model(_LVAE, ("cnn",), "decoder/Conv2d_transpose_4/weights", (5, 5, 64, 64), as_found=True),
}


def build(name: str, values: dict[str, np.ndarray] | None = None) -> Interchange:
    """A model of the table, freshly initialised. Its system is imported now: `lib` knows systems by name only.

    Args:
      values: {TF1 name: array} of a checkpoint of this model; only models `as_found` need it.

    Raises:
      UserError: values are needed and not given, or not of such a model.
    """
    model = MODELS[name]
    if model.as_found and values is None:
        raise UserError(f"the names and shapes of {name} depend on the run; give a checkpoint of it with --like")
    arguments = (*model.arguments, values) if model.as_found else model.arguments
    return importlib.import_module(model.module).build(*arguments)


def recognise(values: dict[str, np.ndarray]) -> str | None:
    """The name in the table of the model that a checkpoint's {TF1 name: array} belong to."""
    return next((name for name, model in MODELS.items() for variable, value in values.items()
                 if variable.endswith(model.mark) and value.shape == model.mark_shape), None)
