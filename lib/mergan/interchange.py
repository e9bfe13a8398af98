"""What `python -m lib.tf1` knows of MeRGAN: its networks beside the variables of the TF1 programs' checkpoints."""

from lib.interchange import Interchange
from lib.mergan.config import Config
from lib.mergan.networks import build_networks
from lib.mergan.step import build_optimizers, checkpoint_variables


def build(dataset: str, joint: bool) -> Interchange:
    """The networks of `mergan.py` or `joint.py`, freshly initialised."""
    config = Config(dataset, iterations=0, joint=joint)
    networks = build_networks(config.data, replay=not joint)
    present = {name: network for name, network in networks._asdict().items() if network is not None}
    return Interchange(present, checkpoint_variables(config, networks, build_optimizers(config, networks)))
