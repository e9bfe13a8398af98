"""What a step draws: the generator's noise, and the memory slots whose keys go beside it."""

from typing import NamedTuple

import tensorflow as tf

from lib import randomness
from memorygan import memory
from memorygan.config import Config
from memorygan.memory import MemoryState


class Noise(NamedTuple):
    """Of one batch of generated images."""

    latent: tf.Tensor  # float32 [n, z_dim], uniform in [-1, 1)
    slots: tf.Tensor  # int32 [n], whose keys the generator is given


def draw_noise(config: Config, state: MemoryState | None, name: str, *counters, count: int | None = None) -> Noise:
    """The noise of `name`, as discriminator or generator, at an iteration or another number.

    Args:
      state: the memory that slots are drawn from; None for a plain GAN.
      count: of images; None: a batch.
    """
    return Noise(draw_latent(config, randomness.key(config.seed, f"{name}/latent", *counters), count),
                 draw_slots(config, state, randomness.key(config.seed, f"{name}/slots", *counters), count))


def draw_latent(config: Config, key: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """Uniform in [-1, 1), float32 [count, z_dim]; key: of `lib.randomness`."""
    return tf.random.stateless_uniform([count or config.batch_size, config.z_dim], key, -1.0, 1.0)


def draw_slots(config: Config, state: MemoryState | None, key: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """Slots int32 [count] by p(c | v = 1); zeros where the generator is given no keys."""
    count = count or config.batch_size
    if not config.samples_slots:
        return tf.zeros([count], tf.int32)
    return memory.sample_slots(state, tf.random.stateless_uniform([count], key))
