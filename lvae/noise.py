"""All randomness of training and tests: functions of the run's seed, the name of a stream and its counters."""

from typing import Callable

import tensorflow as tf

from lib import randomness
from lvae import lifelong
from lvae.config import Config
from lvae.lifelong import Lineage, Noise, ReplayNoise
from lvae.losses import InformationNoise
from lvae.networks import Latents, Networks
from lvae.posterior import LatentNoise


def draw_latent(latents: Latents, rows: int, key: Callable) -> LatentNoise:
    """For one sample of the posterior of so many images; `key`: name of a draw -> its key."""
    return LatentNoise(tf.random.stateless_normal([rows, latents.continuous], key("normal")),
                       tf.random.stateless_uniform([rows, latents.classes], key("uniform")))


def _draw_classes(classes: int, rows: int, key) -> tf.Tensor:
    return tf.random.stateless_uniform([rows], key, 0, max(classes, 1), tf.int32)


def draw_replay(latents: Latents, rows: int, key: Callable, label: int | None = None) -> ReplayNoise:
    """For so many images from the prior, all of one latent class (`label`) or each of its own; `key` as above."""
    classes = _draw_classes(latents.classes, rows, key("replay classes")) if label is None else tf.fill([rows], label)
    return ReplayNoise(tf.random.stateless_normal([rows, latents.continuous], key("replay")), classes)


def draw_noise(config: Config, lineage: Lineage, networks: Networks, rows: int, stream: str, *counters) -> Noise:
    """All that one call of `lifelong.student_costs` on `rows` images draws."""

    def key(name):
        return randomness.key(config.seed, f"{stream}/{name}", *counters)

    latents = networks.student.latents
    teacher = networks.teacher
    information = uniform = None
    if config.monte_carlo_infogain:
        information = InformationNoise(
            _draw_classes(latents.classes, rows, key("information classes")),
            tf.random.stateless_normal([rows, latents.continuous], key("information")),
            tf.random.stateless_normal([rows, latents.continuous], key("information prior")))
    if teacher and config.likelihood_gamma:
        replayed = lifelong.shares(config, lineage, rows)[1]
        uniform = tf.random.stateless_uniform([replayed, teacher.latents.classes], key("teacher"))
    return Noise(draw_latent(latents, rows, key), _draw_classes(latents.classes, rows, key("classes")),
                 draw_replay(teacher.latents, rows, key) if teacher else None, uniform, information)
