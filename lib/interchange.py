"""The models that have a counterpart in the TF1 programs: the table that `python -m lib.tf1` works by."""

import importlib
from typing import NamedTuple

import numpy as np


class Interchange(NamedTuple):
    """A model as both sides see it."""

    networks: dict  # name -> Keras model; in files `<name>.weights.h5`
    variables: dict  # TF1 name -> variable, all that the TF1 program's checkpoint holds


class Model(NamedTuple):
    """How to build an `Interchange`, and one variable that only checkpoints of this model have."""

    module: str  # its function `build` is called with:
    arguments: tuple
    mark: str
    mark_shape: tuple[int, ...]


_MERGAN = "lib.mergan.interchange"
_MEMORYGAN = "memorygan.interchange"

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
}


def build(name: str) -> Interchange:
    """A model of the table, freshly initialised. Its system is imported now: `lib` knows systems by name only."""
    model = MODELS[name]
    return importlib.import_module(model.module).build(*model.arguments)


def recognise(values: dict[str, np.ndarray]) -> str | None:
    """The name in the table of the model that a checkpoint's {TF1 name: array} belong to."""
    return next((name for name, model in MODELS.items()
                 if model.mark in values and values[model.mark].shape == model.mark_shape), None)
