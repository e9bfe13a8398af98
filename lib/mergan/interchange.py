"""What `python -m lib.tf1` knows of MeRGAN: its networks beside the variables of the TF1 programs' checkpoints."""

import functools

from lib.mergan.checkpoint import checkpoint_variables
from lib.mergan.config import Config
from lib.mergan.networks import networks_of
from lib.mergan.step import build_optimizers
from lib.tf1.models import Interchange, Model


def build(dataset: str, joint: bool) -> Interchange:
    """The networks of `mergan.py` or `joint.py`, freshly initialised."""
    config = Config(dataset, iterations=0, joint=joint)
    networks = networks_of(config)
    present = {name: network for name, network in networks._asdict().items() if network is not None}
    return Interchange(present, checkpoint_variables(config, networks, build_optimizers(config, networks)))


_GREY, _COLOUR = (("Generator.5/{0}.Generator.5.Filters", (5, 5, channels, 32)) for channels in (1, 3))
# A checkpoint of fashion or cifar10 has the very variables of mnist's or svhn's, as which it is recognised.
_MARKS = {"mnist": _GREY, "svhn": _COLOUR, "fashion": _GREY, "cifar10": _COLOUR,
          "lsun": ("Generator.Output/{0}.Generator.Output.Biases", (3,))}

# A sequential training's checkpoint holds the replay generator, a joint one Adam's state.
MODELS = {f"mergan-{dataset}": Model(functools.partial(build, dataset, False), f"Old.{mark.format('Old')}", shape)
          for dataset, (mark, shape) in _MARKS.items()}
MODELS |= {f"joint-{dataset}": Model(functools.partial(build, dataset, True), f"New.{mark.format('New')}/Adam", shape)
           for dataset, (mark, shape) in _MARKS.items()}
