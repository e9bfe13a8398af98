"""Real images with the class numbers of the evaluation classifiers: an array, or files that are read when asked for."""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from multiprocessing.pool import ThreadPool
from typing import NamedTuple

import numpy as np

from lib.data import folders, sources
from lib.data.batching import evenly
from lib.data.own import Own

_LSUN_SIDE = 64
# Number of each scene in the original's lsun classifier, which tells ten of them apart.
_LSUN_NUMBERS = {"bedroom": 0, "kitchen": 1, "church_outdoor": 8, "tower": 6}
_LSUN_SPLITS = {"train": "train", "test": "val"}
# Images per class, as in the paper: LSUN has millions of bedrooms.
_LSUN_LIMIT = 100_000
_SAMPLED_FILES = 1024


@functools.cache
def _pool() -> ThreadPool:
    """What decodes files, in a process that decodes any."""
    return ThreadPool()


class FileImages:
    """Image files that are indexed like an array uint8 [n, side, side, 3] and decoded only then."""

    dtype = np.dtype(np.uint8)

    def __init__(self, classes: Sequence[folders.Images], side: int):
        self._classes, self._side = classes, side
        self._starts = np.cumsum([0] + [len(images.paths) for images in classes])

    @classmethod
    def joined(cls, parts: Sequence["FileImages"]) -> "FileImages":
        """All images of several sets."""
        return cls([images for part in parts for images in part._classes], parts[0]._side)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), *self[:1].shape[1:]

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, chosen) -> np.ndarray:
        """Images of a slice or of an index array; `UserError` for one that cannot be decoded."""
        return np.stack(_pool().map(self._decode, np.arange(len(self))[chosen]))

    def _decode(self, index: int) -> np.ndarray:
        number = np.searchsorted(self._starts, index, side="right") - 1
        images = self._classes[number]
        return images.decode(images.paths[index - self._starts[number]], self._side)

    def digest(self) -> bytes:
        """Of all file names and of the pixels of images spread evenly over them, since reading all takes long."""
        digest = hashlib.sha256(repr([self._side, *self._starts]).encode())
        for images in self._classes:
            for path in images.paths:
                digest.update(os.path.basename(os.fsencode(path)) + b"\0")
        digest.update(self[evenly(len(self), _SAMPLED_FILES)])
        return digest.digest()


class RealImages(NamedTuple):
    images: np.ndarray | FileImages  # uint8 [n, h, w, c]
    labels: np.ndarray  # int32 [n], in the classifier's numbering
    # (indices, generator) -> uint8 images as a classifier sees them, for sets that are distorted anew at every drawing
    draw: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None

    def drawn(self, chosen: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return self.draw(chosen, generator) if self.draw else self.images[chosen]

    def fingerprint(self, others: str = "()") -> str:
        """Short hexadecimal digest of images, labels and what else matters."""
        digest = hashlib.sha256(others.encode())
        if isinstance(self.images, FileImages):
            digest.update(self.images.digest())
        else:
            digest.update(repr(self.images.shape).encode())
            digest.update(np.ascontiguousarray(self.images))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()[:12]


def load(dataset: str | Own, split: str, data_dir: str) -> RealImages:
    """The "train" or "test" images of a data set; those of lsun stay on disk, at most 100,000 of each class, and so do
    one's own if they are many.

    Raises `UserError` if they cannot be found or read.
    """
    if isinstance(dataset, Own):
        if not dataset.is_large:
            return RealImages(*dataset.arrays(split))
        return RealImages(FileImages(dataset.images(split), dataset.side), dataset.labels(split))
    if dataset != "lsun":
        return RealImages(*sources.load(dataset, split, str(data_dir)))
    classes = [folders.of_class(str(data_dir), "lsun", name, _LSUN_SPLITS[split]) for name in _LSUN_NUMBERS]
    classes = [images._replace(paths=images.paths[:_LSUN_LIMIT]) for images in classes]
    labels = np.repeat(np.array(list(_LSUN_NUMBERS.values()), np.int32), [len(images.paths) for images in classes])
    return RealImages(FileImages(classes, _LSUN_SIDE), labels)


def by_class(images: Own, split: str) -> list[tuple[np.ndarray | FileImages, np.ndarray]]:
    """One's own images of each class, with their labels."""
    of_all, labels = load(images, split, "")[:2]
    each = [np.flatnonzero(labels == label) for label in range(len(images.classes))]
    return [(FileImages([images.images(split)[label]], images.side) if images.is_large else of_all[rows], labels[rows])
            for label, rows in enumerate(each)]
