"""What `python -m lib.tf1` knows of memoryGAN: its networks beside the variables of the TF1 program's checkpoints."""

import functools

from lib.tf1.models import Interchange, Model
from memorygan import checkpoint
from memorygan.config import make_config
from memorygan.step import build_model


def build(dataset: str) -> Interchange:
    """MemoryGAN at a data set's own sizes, freshly initialised."""
    model = build_model(make_config(dataset))
    return Interchange({**model.networks._asdict(), "memory": model.memory}, checkpoint.variables(model))


_MARKS = {"fashion": ("d_/Conv_3/weights", (4, 4, 256, 256)), "affmnist": ("d_/Conv_5/weights", (5, 5, 256, 256)),
          "cifar10": ("d_/Conv_10/weights", (4, 4, 128, 512)), "celeba": ("d_/Conv_13/weights", (4, 4, 128, 512))}

MODELS = {f"memorygan-{dataset}": Model(functools.partial(build, dataset), *mark) for dataset, mark in _MARKS.items()}
