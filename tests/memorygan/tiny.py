"""Sizes of seconds for memoryGAN."""

from memorygan.config import Config, make_config

SIZES = dict(batch_size=8, f_dim=4, fc_dim=16, mem_size=64, key_dim=16, choose_k=8)
FLAGS = [f"--{name}={value}" for name, value in SIZES.items()]


def config(dataset: str = "fashion", **settings) -> Config:
    return make_config(dataset, **{**SIZES, **settings})
