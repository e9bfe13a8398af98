"""What `python -m lib.tf1` knows of memoryGAN: its networks beside the variables of the TF1 program's checkpoints."""

import functools

import numpy as np

from lib.errors import UserError
from lib.tf1.models import Interchange, Model
from memorygan import checkpoint, step
from memorygan.config import Config, make_config


def build(dataset: str, values: dict[str, np.ndarray] | None = None) -> Interchange:
    """MemoryGAN, freshly initialised; `values`: as of `model_of`."""
    _, model = model_of(dataset, values)
    return Interchange({**model.networks._asdict(), "memory": model.memory}, checkpoint.variables(model))


def model_of(dataset: str, values: dict[str, np.ndarray] | None) -> tuple[Config, step.Model]:
    """MemoryGAN, freshly initialised, and its settings.

    Args:
      values: {TF1 name: array} of a checkpoint, in whose sizes it is built; None: the data set's own ones.

    Raises:
      UserError: a variable that tells a size is missing or misshaped.
    """
    try:
        config = make_config(dataset, **(sizes_of(values) if values is not None else {}))
        return config, step.build_model(config)
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(f"no complete MemoryGAN of {dataset}: the sizes do not follow from its variables ({error}); "
                        "they are missing or misshaped") from error


def sizes_of(values: dict[str, np.ndarray]) -> dict:
    """The settings that a checkpoint's {TF1 name: array} tell; how many slots a query reads is not among them."""
    mem_size, key_dim = values["memkeys"].shape
    inputs, first = values["g_/fully_connected/weights"].shape
    keyed = inputs > key_dim  # else the generator is given noise alone
    sizes = {"mem_size": mem_size, "key_dim": key_dim, "f_dim": values["d_/Conv/weights"].shape[-1],
             "z_dim": inputs - key_dim if keyed else inputs, "slot_sampling": keyed}
    return sizes | ({"fc_dim": first} if "g_/fully_connected_1/weights" in values else {})


# Filters whose height and width only this data set's discriminator has; affmnist's has one like fashion's, too, so that
# it comes before.
_MARKS = {"affmnist": ("d_/Conv_5/weights", (5, 5, None, None)), "fashion": ("d_/Conv_3/weights", (4, 4, None, None)),
          "cifar10": ("d_/Conv_10/weights", (4, 4, None, None)), "celeba": ("d_/Conv_13/weights", (4, 4, None, None))}

MODELS = {f"memorygan-{dataset}": Model(functools.partial(build, dataset), *mark, as_found=True, own_sizes=True)
          for dataset, mark in _MARKS.items()}
