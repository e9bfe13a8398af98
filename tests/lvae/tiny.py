"""Tiny data sets in the originals' files, for tests that run whole programs."""

import gzip
import struct
from pathlib import Path

import numpy as np

_NAMES = {"train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
          "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")}


def _write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(struct.pack(">I", size) for size in values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), compresslevel=1))


def images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stripes whose direction and width tell the class."""
    labels = np.arange(count) % 10
    rows, columns = np.mgrid[:28, :28]
    noise = np.random.default_rng(seed).uniform(0.0, 0.3, (count, 28, 28))
    stripes = np.stack([(rows * (label % 3) + columns * (1 + label // 3)) % (4 + label) < 3 for label in labels])
    return np.floor(255 * np.clip(0.7 * stripes + noise, 0, 1)).astype(np.uint8), labels


def write(folder: Path, train: int, test: int) -> None:
    """MNIST's or Fashion-MNIST's four files."""
    folder.mkdir(parents=True)
    for seed, (split, count) in enumerate((("train", train), ("test", test))):
        pixels, labels = images(count, seed)
        for name, values in zip(_NAMES[split], (pixels, labels), strict=True):
            _write_idx(folder / name, values)
