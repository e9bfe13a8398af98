"""What `python -m lib.tf1` knows of MeRGAN: its networks beside the variables of the TF1 programs' checkpoints."""

import functools

import numpy as np

from lib.data import own
from lib.mergan.checkpoint import checkpoint_variables
from lib.mergan.config import Config
from lib.mergan.networks import networks_of
from lib.mergan.step import build_optimizers
from lib.tf1.models import Interchange, Model

_CLASS_HEAD = "Discriminator.ACGANOutput/Discriminator.ACGANOutput.W"  # [features, classes]


def build(dataset: str, joint: bool, values: dict[str, np.ndarray] | None = None) -> Interchange:
    """The networks of `mergan.py` or `joint.py`, freshly initialised.

    Args:
      values: {TF1 name: array} of a checkpoint, which has as many classes as this, if it is of one's own images.
    """
    config = Config(dataset, iterations=0, joint=joint)
    head = np.shape((values or {}).get(_CLASS_HEAD))
    labels = head[1] if len(head) == 2 else config.data.labels
    if labels not in (0, config.data.labels):
        config = Config(own.NAME, iterations=0, joint=joint, side=config.data.side, channels=config.data.channels,
                        classes=tuple(map(str, range(labels))))
    networks = networks_of(config)
    return Interchange(networks.present(), checkpoint_variables(config, networks, build_optimizers(config, networks)))


_GREY, _COLOUR = (("Generator.5/{0}.Generator.5.Filters", (5, 5, channels, 32)) for channels in (1, 3))
# A checkpoint of fashion or cifar10 has the very variables of mnist's or svhn's, as which it is recognised.
_MARKS = {"mnist": _GREY, "svhn": _COLOUR, "fashion": _GREY, "cifar10": _COLOUR,
          "lsun": ("Generator.Output/{0}.Generator.Output.Biases", (3,))}

_AS_FOUND = {"as_found": True, "own_sizes": True}  # one's own images have a number of classes of their own
# A sequential training's checkpoint holds the replay generator, a joint one Adam's state.
MODELS = {f"mergan-{dataset}": Model(functools.partial(build, dataset, False), f"Old.{mark.format('Old')}", shape,
                                     **_AS_FOUND) for dataset, (mark, shape) in _MARKS.items()}
MODELS |= {f"joint-{dataset}": Model(functools.partial(build, dataset, True), f"New.{mark.format('New')}/Adam", shape,
                                     **_AS_FOUND) for dataset, (mark, shape) in _MARKS.items()}
