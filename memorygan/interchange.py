"""What `python -m lib.tf1` knows of memoryGAN: its networks beside the variables of the TF1 program's checkpoints."""

from lib.interchange import Interchange
from memorygan import checkpoint
from memorygan.config import make_config
from memorygan.step import build_model


def build(dataset: str) -> Interchange:
    """MemoryGAN at a data set's own sizes, freshly initialised."""
    model = build_model(make_config(dataset))
    return Interchange({**model.networks._asdict(), "memory": model.memory}, checkpoint.variables(model))
