"""Small runs for tests: sizes of seconds, and data sets of a few random images in the original's files."""

import gzip
import struct
from pathlib import Path

import numpy as np

from memorygan.config import Config, make_config

SIZES = dict(batch_size=8, f_dim=4, fc_dim=16, mem_size=64, key_dim=16, choose_k=8)
FLAGS = [f"--{name}={value}" for name, value in SIZES.items()]


def config(dataset: str = "fashion", **settings) -> Config:
    return make_config(dataset, **{**SIZES, **settings})


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(">" + "I" * array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def write_mnist_like(folder: Path, train: int = 40, test: int = 16) -> None:
    """The four files of an MNIST-like set with random images."""
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for split, count in (("train", train), ("t10k", test)):
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", random.randint(0, 256, (count, 28, 28)).astype(np.uint8))
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))


def write_cifar10(folder: Path, per_batch: int = 8) -> None:
    """The six binary batches with random images."""
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        rows = random.randint(0, 256, (per_batch, 3073)).astype(np.uint8)
        rows[:, 0] %= 10
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
