"""What the steps draw: from streams named `critic/...` and `generator/...`, by task, iteration and critic step."""

from typing import NamedTuple, Sequence

import numpy as np
import tensorflow as tf

from lib import randomness
from lib.mergan.config import NOISE, Config
from lib.mergan.methods import Method, acting, chosen


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


def draw_critic_noise(config: Config, task, iteration, step, methods: Sequence[type[Method]] | None = None
                      ) -> CriticNoise:
    """Of a critic step (from 0 in every iteration); iteration and step may be tensors.

    The task may be one, too, where a graph serves many: then the `methods` that act in them have to be named.
    """
    def key(name):
        return randomness.key(config.seed, f"critic/{name}", task, iteration, step)

    return CriticNoise(draw_latent(key("latent"), config.batch_size),
                       tf.random.stateless_uniform([config.batch_size, 1], key("alpha")),
                       _fake_labels(config, key, task),
                       _of_methods(config, task, methods, "critic", key))


def draw_generator_noise(config: Config, task, iteration, methods: Sequence[type[Method]] | None = None
                         ) -> GeneratorNoise:
    """Of a generator step; iteration and task may be tensors as in `draw_critic_noise`."""
    def key(name):
        return randomness.key(config.seed, f"generator/{name}", task, iteration)

    return GeneratorNoise(draw_latent(key("latent"), config.batch_size), _fake_labels(config, key, task),
                          _of_methods(config, task, methods, "generator", key))


def _fake_labels(config: Config, key, task) -> tf.Tensor:
    """Any of all classes in joint training, else the new one; an unconditional generator knows only 0."""
    if config.joint:
        return tf.random.stateless_uniform([config.batch_size], key("labels"), 0, len(config.data.classes), tf.int32)
    return tf.fill([config.batch_size], 0 if config.generative_replay else task)


def _of_methods(config: Config, task, methods: Sequence[type[Method]] | None, step: str, key) -> dict[str, tf.Tensor]:
    """N(0, 1) by name, of the shapes that methods (None: all that act) ask for in the "critic" or "generator" step."""
    methods = acting(chosen(config), task) if methods is None else methods
    shapes = [getattr(method, f"{step}_noise") for method in methods]
    if isinstance(task, int):
        return {name: tf.random.stateless_normal(shape, key(name))
                for asked in shapes for name, shape in asked(config, task).items()}
    drawn = {}
    for asked in shapes:
        by_task = [asked(config, number) for number in range(1, config.tasks)]
        for name in by_task[0]:
            sizes = np.array([shapes_of_task[name] for shapes_of_task in by_task], np.int32)
            known = [size if same else None for size, same in zip(sizes[0], (sizes == sizes[0]).all(axis=0))]
            drawn[name] = tf.ensure_shape(tf.random.stateless_normal(tf.constant(sizes)[task - 1], key(name)), known)
    return drawn
