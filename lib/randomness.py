"""Named stateless random streams.

Every random number of a run is a function of (seed, stream name, counters such as task and step), so a resumed
run, another device or a test draws the same numbers and no generator state needs saving.
"""

import zlib

import numpy as np
import tensorflow as tf


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def key(seed: int, stream: str, *counters) -> tf.Tensor:
    """int32 [2] key for `tf.random.stateless_*`; counters are non-negative ints or scalar tensors."""
    value = tf.constant([seed & 0x7FFFFFFF, _number(stream)], tf.int32)
    for counter in counters:
        value = tf.random.fold_in(value, tf.cast(counter, tf.int32))
    return value


def host_generator(seed: int, stream: str, *counters: int) -> np.random.Generator:
    """The NumPy counterpart of `key`, for what is decided outside the graph (data order, initial weights)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, _number(stream), *counters])))


def initial_seed(seed: int, *names: str) -> int:
    """Seed of one variable's initialiser, from the run's seed and the variable's own name."""
    return int(host_generator(seed, "/".join(names)).integers(2**31 - 1))
