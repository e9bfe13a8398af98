"""The models that have a counterpart in the TF1 programs, which `python -m lib.tf1` works by."""

from typing import Callable, NamedTuple

import numpy as np

from lib import systems
from lib.errors import UserError


class Interchange(NamedTuple):
    """A model as both sides see it."""

    networks: dict  # name -> Keras model; in files `<name>.weights.h5`
    variables: dict  # TF1 name -> variable, all that the TF1 program's checkpoint holds


class Model(NamedTuple):
    """How to build an `Interchange`, and one variable that only checkpoints of this model have."""

    build: Callable[..., Interchange]  # takes nothing; {TF1 name: array} of a checkpoint if it is `as_found`
    mark: str  # its name, or the end of it
    mark_shape: tuple[int | None, ...]  # None: of any size
    as_found: bool = False  # names and shapes depend on the run
    own_sizes: bool = False  # what is built `as_found` also has sizes of its own, without a checkpoint


def known() -> dict[str, Model]:
    """All systems' models by name."""
    return {name: model for system in systems.SYSTEMS
            for name, model in systems.part(system, "interchange").MODELS.items()}


def build(name: str, values: dict[str, np.ndarray] | None = None) -> Interchange:
    """A model, freshly initialised.

    Args:
      values: {TF1 name: array} of a checkpoint of this model; only models `as_found` need it.

    Raises:
      UserError: values are needed and not given, or not of such a model.
    """
    model = known()[name]
    if not model.as_found or values is None and model.own_sizes:
        return model.build()
    if values is None:
        raise UserError(f"the names and shapes of {name} depend on the run; give a checkpoint of it with --like")
    return model.build(values)


def recognise(values: dict[str, np.ndarray]) -> str | None:
    """The name of the model that a checkpoint's {TF1 name: array} belong to."""
    return next((name for name, model in known().items() for variable, value in values.items()
                 if variable.endswith(model.mark) and _is_of_shape(value, model.mark_shape)), None)


def _is_of_shape(value: np.ndarray, shape: tuple[int | None, ...]) -> bool:
    return value.ndim == len(shape) and all(wanted in (None, size) for wanted, size in zip(shape, value.shape))
