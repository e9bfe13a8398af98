"""What the steps draw: from streams named `critic/...` and `generator/...`, by task, iteration and critic step."""

from typing import NamedTuple

import tensorflow as tf

from lib import randomness
from lib.mergan.config import NOISE, Config
from lib.mergan.methods import acting, chosen


class CriticNoise(NamedTuple):
    """What one critic step draws."""

    latent: tf.Tensor  # N(0, 1), [batch, 128]
    alpha: tf.Tensor  # U(0, 1), [batch, 1]
    fake_labels: tf.Tensor  # int32 [batch], asked of the generator
    methods: dict[str, tf.Tensor]  # N(0, 1): by name what the methods ask for, of a replay [old classes, samples, 128]


class GeneratorNoise(NamedTuple):
    """What one generator step draws."""

    latent: tf.Tensor
    fake_labels: tf.Tensor
    methods: dict[str, tf.Tensor]


def draw_latent(key, *shape: int) -> tf.Tensor:
    """Latent vectors N(0, 1), float32 [*shape, 128]."""
    return tf.random.stateless_normal([*shape, NOISE], key)


def draw_critic_noise(config: Config, task: int, iteration, step) -> CriticNoise:
    """Of a critic step (from 0 in every iteration); iteration and step may be tensors."""
    def key(name):
        return randomness.key(config.seed, f"critic/{name}", task, iteration, step)

    shapes = [method.critic_noise(config, task) for method in acting(chosen(config), task)]
    return CriticNoise(draw_latent(key("latent"), config.batch_size),
                       tf.random.stateless_uniform([config.batch_size, 1], key("alpha")),
                       _fake_labels(config, key, task), _of_methods(shapes, key))


def draw_generator_noise(config: Config, task: int, iteration) -> GeneratorNoise:
    """Of a generator step; the iteration may be a tensor."""
    def key(name):
        return randomness.key(config.seed, f"generator/{name}", task, iteration)

    shapes = [method.generator_noise(config, task) for method in acting(chosen(config), task)]
    return GeneratorNoise(draw_latent(key("latent"), config.batch_size), _fake_labels(config, key, task),
                          _of_methods(shapes, key))


def _fake_labels(config: Config, key, task: int) -> tf.Tensor:
    """Any of all classes in joint training, else the new one; an unconditional generator knows only 0."""
    if config.joint:
        return tf.random.stateless_uniform([config.batch_size], key("labels"), 0, len(config.data.classes), tf.int32)
    return tf.fill([config.batch_size], 0 if config.generative_replay else task)


def _of_methods(shapes: list[dict], key) -> dict[str, tf.Tensor]:
    return {name: tf.random.stateless_normal(shape, key(name)) for asked in shapes for name, shape in asked.items()}
