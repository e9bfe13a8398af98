"""Where a run's data come from, and a fingerprint by which a resume sees that they are the same."""

import hashlib
import os
from collections.abc import Iterable, Sequence

import numpy as np

from lib.data.batching import evenly
from lib.data.folders import Images
from lib.run.place import Origin

_LOOKED_AT = 10_000  # images of an array: enough to tell data apart, and soon done
_DECODED = 32  # image files
_SIDE = 64


def of_arrays(source: str, arrays: Iterable[tuple[np.ndarray, np.ndarray]]) -> Origin:
    """Of pairs (images, labels): all labels, and images spread evenly over all."""
    digest = hashlib.blake2b(digest_size=8)
    for images, labels in arrays:
        rows = evenly(len(images), _LOOKED_AT)
        digest.update(repr((images.shape, str(images.dtype))).encode())
        digest.update(np.ascontiguousarray(images[rows]))
        digest.update(np.ascontiguousarray(labels, np.int32))
    return Origin(source, digest.hexdigest())


def of_images(source: str, kinds: Sequence[Images]) -> Origin:
    """Of images in storage: the names of all, where they have names, and the pixels of a few."""
    digest = hashlib.blake2b(digest_size=8)
    for images in kinds:
        digest.update(f"{len(images.paths)}\0".encode())
        if isinstance(images.paths[0], (str, bytes)):  # TFDS' records have no names
            for path in images.paths:
                digest.update(os.path.basename(os.fsencode(path)) + b"\0")
        for number in evenly(len(images.paths), _DECODED):
            digest.update(np.ascontiguousarray(images.decode(images.paths[int(number)], _SIDE)))
    return Origin(source, digest.hexdigest())
