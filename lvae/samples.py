"""What a VAE makes of latent variables from the prior, and of images by way of their posterior, as pixels."""

from collections.abc import Iterator
from typing import Callable

import numpy as np
import tensorflow as tf

from lib import device, pictures, randomness
from lvae import lifelong, losses
from lvae.config import Config
from lvae.learner import Learner
from lvae.losses import Pass
from lvae.noise import draw_latent, draw_replay

AT_ONCE = 500  # images of one call


def rounded_pixels(config: Config, images) -> np.ndarray:
    """Images in a network's input shape -> uint8 [n, height, width, channels], rounded to the nearest of 0..255.

    What lies outside [0, 1], as a logistic likelihood's location may, is cut.
    """
    shaped = np.reshape(images, [-1, *config.architecture.image_shape])
    return pictures.rounded_pixels(shaped, unit_range=True)


def pixels_of(config: Config, output: tf.Tensor) -> np.ndarray:
    """The same of a decoder's output: the means of p(x | z)."""
    return rounded_pixels(config, losses.likelihood(config).mean(output))


def decoded(learner: Learner, z: np.ndarray) -> np.ndarray:
    """Pixels of latent variables [n, size]."""
    return pixels_of(learner.config, learner.networks.student.decoder(tf.constant(z, tf.float32)))


def of_prior(learner: Learner, count: int, stream: str, label: int | None = None) -> Iterator[np.ndarray]:
    """Pixels of so many samples, `AT_ONCE` at a time; the noise is that of a stream at the present visit.

    Args:
      label: latent class of all samples; None: drawn for each.
    """
    config = learner.config
    student = learner.networks.student
    generate = device.graph(lambda noise: lifelong.generate(config, student, noise))
    for batch, start in enumerate(range(0, count, AT_ONCE)):
        noise = draw_replay(student.latents, AT_ONCE, lambda name: randomness.key(
            config.seed, f"{stream}/{name}", len(learner.visited), batch), label)
        yield rounded_pixels(config, generate(noise))[:count - start]


def passed(learner: Learner, images: np.ndarray, key: Callable) -> Pass:
    """What the student makes of images [n, ...]; `key`: name of a draw -> its key."""
    student = learner.networks.student
    noise = draw_latent(student.latents, len(images), key)
    return losses.reconstruct(learner.config, student, tf.constant(images), noise, learner.temperature())


def reconstructed(learner: Learner, images: np.ndarray, key: Callable) -> np.ndarray:
    """The pixels of their reconstructions."""
    return pixels_of(learner.config, passed(learner, images, key).output)
