"""Costs of MeRGAN: WGAN-GP with an auxiliary classifier (the paper's eqs. 1 to 4).

Pure functions of networks, images, labels, noise and interpolation weights: nothing random is drawn here.
"""

from typing import NamedTuple

import tensorflow as tf

from lib import losses
from lib.mergan.config import Config

# Names of the costs' scalars in the original's log.
CRITIC_QUANTITIES = ("d-cost", "wgan-pure", "penalty", "wgan", "acgan-real", "real_acc", "fake_acc")
GENERATOR_QUANTITIES = ("g-cost", "acgan-fake")


class CriticCosts(NamedTuple):
    """Terms of the critic's cost, before their factors."""

    wasserstein: tf.Tensor  # mean D(fake) - mean D(real)
    penalty: tf.Tensor  # gradient penalty
    classification: tf.Tensor  # cross-entropy of real images
    real_accuracy: tf.Tensor  # of the class head; reported only
    fake_accuracy: tf.Tensor

    def total(self, config: Config) -> tf.Tensor:
        """What the critic minimises, a scalar; methods add their terms."""
        return self.wasserstein + config.penalty_factor * self.penalty + config.classification * self.classification

    def quantities(self, config: Config) -> dict[str, tf.Tensor]:
        """Its scalars under CRITIC_QUANTITIES."""
        penalty = config.penalty_factor * self.penalty
        return dict(zip(CRITIC_QUANTITIES, (
            self.total(config), self.wasserstein, penalty, self.wasserstein + penalty, self.classification,
            self.real_accuracy, self.fake_accuracy), strict=True))


class GeneratorCosts(NamedTuple):
    """Terms of the generator's cost, before their factors."""

    wasserstein: tf.Tensor  # - mean D(fake)
    classification: tf.Tensor  # cross-entropy of generated images

    def total(self, config: Config) -> tf.Tensor:
        """What the generator minimises, a scalar; methods add their terms."""
        return self.wasserstein + config.classification * self.classification

    def quantities(self, config: Config) -> dict[str, tf.Tensor]:
        """Its scalars under GENERATOR_QUANTITIES."""
        return dict(zip(GENERATOR_QUANTITIES, (self.total(config), self.classification), strict=True))


def critic_costs(generator, critic, images, labels, noise, alpha, fake_labels=None) -> CriticCosts:
    """The critic's costs on one batch.

    Args:
      images: real images [n, h, w, c] in [-1, 1].
      labels: int32 [n], of the real images.
      noise: latent vectors [n, 128] of the generated images.
      alpha: interpolation weights [n, 1] in [0, 1].
      fake_labels: int32 [n], asked of the generator; default: `labels`, as in sequential training.

    The class head learns from real images only.
    """
    fake_labels = labels if fake_labels is None else fake_labels
    fake = tf.stop_gradient(generator(noise, fake_labels))
    # The critic treats every sample alone, so real and generated images can pass it together.
    judged = critic(tf.concat([fake, images], axis=0))
    fake_score, real_score = tf.split(judged.score, 2)
    fake_logits, real_logits = tf.split(judged.logits, 2)
    return CriticCosts(
        wasserstein=tf.reduce_mean(fake_score) - tf.reduce_mean(real_score),
        penalty=losses.gradient_penalty(lambda x: critic(x).score, losses.interpolate(images, fake, alpha)),
        classification=losses.cross_entropy(real_logits, labels),
        real_accuracy=losses.accuracy(real_logits, labels),
        fake_accuracy=losses.accuracy(fake_logits, fake_labels),
    )


def generator_costs(generator, critic, labels, noise) -> GeneratorCosts:
    """The generator's costs on latent vectors [n, 128] with int32 labels [n]."""
    judged = critic(generator(noise, labels))
    return GeneratorCosts(
        wasserstein=-tf.reduce_mean(judged.score),
        classification=losses.cross_entropy(judged.logits, labels),
    )
