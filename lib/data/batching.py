"""The order in which images are drawn, and batches in that order from memory or from image files.

Batch b is a function of (seed, stream, b) alone: it belongs to epoch b // (batches per epoch), each epoch has a
permutation of its own, and the images that do not fill a batch are left out. So a resumed run needs no more than
the number of the next batch.
"""

import functools
import weakref
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from lib import randomness
from lib.data import folders
from lib.errors import UserError

_PREFETCHED_BATCHES = 2


def epoch_order(count: int, seed: int, stream: str, epoch: int) -> np.ndarray:
    """The permutation of 0 .. count - 1 in which an epoch (from 0) draws the images; int64 [count]."""
    return randomness.host_generator(seed, stream, epoch).permutation(count)


def evenly(count: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0 .. count - 1, ascending, evenly over all; int64 [min(count, most)]."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


class Order:
    """Which images make up batch b. `slots(epoch)` gives an epoch's batches, [batches_per_epoch, batch_size]."""

    def __init__(self, batches_per_epoch: int, slots: Callable[[int], np.ndarray]):
        self.batches_per_epoch = batches_per_epoch
        self._slots = functools.lru_cache(maxsize=2)(slots)  # reading ahead may be an epoch ahead

    def indices(self, batch: int) -> np.ndarray:
        """int64 [batch_size]"""
        epoch, position = divmod(int(batch), self.batches_per_epoch)
        return self._slots(epoch)[position]


def permuted_order(count: int, batch_size: int, stream: str, permutation: Callable[[int], np.ndarray]) -> Order:
    """Each epoch the images 0 .. count - 1 as `permutation(epoch)` has them, without those that fill no batch.

    Raises `UserError` if there are fewer images than a batch takes; `stream` says of what.
    """
    require(count, batch_size, stream)
    batches = count // batch_size
    return Order(batches, lambda epoch: permutation(epoch)[:batches * batch_size].reshape(batches, batch_size))


def shuffled_order(count: int, batch_size: int, seed: int, stream: str) -> Order:
    """Each epoch a permutation of its own. Raises `UserError` if there are fewer images than a batch takes."""
    return permuted_order(count, batch_size, stream, functools.partial(epoch_order, count, seed, stream))


def require(count: int, needed: int, stream: str) -> None:
    """Raises `UserError` if there are fewer images than a batch takes; `stream` says of what."""
    if count < needed:
        raise UserError(f"{stream}: {count} images are fewer than the {needed} that a batch takes; add images or "
                        f"choose a smaller batch")


class Batches:
    """Batches of images held in memory: uint8 [n, h, w, c] with labels int32 [n].

    `stream` names the order (and the data, in messages); batches of equal seed and stream are equal.
    `order`: the caller's own; default: every epoch shuffled anew.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, stream: str,
                 order: Order | None = None):
        self._images, self._labels = images, labels
        self._order = order or shuffled_order(len(images), batch_size, seed, stream)

    def take(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Batches start .. start + count - 1: uint8 [count, batch, h, w, c] and int32 [count, batch]."""
        chosen = np.stack([self._order.indices(batch) for batch in range(start, start + count)])
        return self._images[chosen], self._labels[chosen]


class FolderBatches:
    """Batches read from storage as they are needed: memory does not grow with the number of images.

    `paths`: image files, or whatever else `decode(paths[i], side)` turns into uint8 [side, side, channels].
    `labels`: one for all images, or int32 [n] with one for each. `order`: as in `Batches`.
    Reading ahead follows the order of the batches, so `take` is fast where it goes on from the last call, and
    correct everywhere. Raises `UserError` for too few images and, from `take`, for one that cannot be decoded.
    """

    def __init__(self, paths: Sequence, labels: int | np.ndarray, side: int, batch_size: int, seed: int, stream: str,
                 order: Order | None = None,
                 decode: Callable[[object, int], np.ndarray] = folders.decode, channels: int = 3):
        self._paths, self._shape, self._batch_size = paths, (side, side, channels), batch_size
        self._labels = np.broadcast_to(np.asarray(labels, np.int32), [len(paths)])
        self._order = order or shuffled_order(len(paths), batch_size, seed, stream)
        self._decode = decode
        self._reading, self._next = [], 0  # the one open iterator, if any, and the batch that it gives next
        # Closing an iterator waits for the Python calls that read ahead, and an interpreter that is already shutting
        # down never finishes them: the process would hang. So it is closed at exit, before that.
        weakref.finalize(self, self._reading.clear)

    def take(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Batches start .. start + count - 1: uint8 [count, batch, side, side, channels] and int32 [count, batch]."""
        if not self._reading or start != self._next:
            self._reading[:] = [self._read_from(start)]
        self._next = start + count
        images, errors = zip(*(next(self._reading[0]) for _ in range(count)))
        for message in np.concatenate(errors):
            if message:
                self._reading.clear()
                raise UserError(message.decode())
        chosen = np.stack([self._order.indices(batch) for batch in range(start, start + count)])
        return np.stack(images), self._labels[chosen]

    def _read_from(self, start: int):
        def indices(batch):
            chosen = tf.numpy_function(self._order.indices, [batch], tf.int64)
            return tf.ensure_shape(chosen, [self._batch_size])

        def image(index):
            decoded, error = tf.numpy_function(self._image, [index], (tf.uint8, tf.string))
            return tf.ensure_shape(decoded, self._shape), tf.ensure_shape(error, [])

        dataset = tf.data.Dataset.range(start, tf.int64.max).map(indices).unbatch()
        dataset = dataset.map(image, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return dataset.batch(self._batch_size).prefetch(_PREFETCHED_BATCHES).as_numpy_iterator()

    def _image(self, index: int) -> tuple[np.ndarray, bytes]:
        try:
            return self._decode(self._paths[index], self._shape[0]), b""
        except UserError as error:
            # An exception inside tf.data ends on the console with its traceback; a message travels in order.
            return np.zeros(self._shape, np.uint8), str(error).encode()
