"""What the Lifelong VAE is compared with: EWC. The other baselines differ in their data alone.

- vanilla: one VAE goes on with whatever distribution comes next;
- full_batch: all distributions at once, from the start;
- progressive: all distributions seen so far;
- ewc: as vanilla, with a quadratic penalty on leaving the weights of the distribution before, weighted by the Fisher
  information of the negative ELBO (Kirkpatrick et al. 2017, as the authors' PyTorch version computes it).
"""

from typing import NamedTuple

import tensorflow as tf

from lib import device, randomness
from lib.losses import quadratic_penalty
from lvae import losses
from lvae import posterior as q
from lvae.config import Config
from lvae.data import Samples
from lvae.losses import Costs, Pass
from lvae.networks import Vae
from lvae.posterior import Latent

_AT_ONCE = 8  # images whose own gradients are held in memory
_CALL = 200  # images of one call of the graph


class Anchor(NamedTuple):
    """What EWC remembers: weights, and how much each of them matters, in the order of the trainable variables."""

    importance: list[tf.Tensor]  # sum over distributions of the mean squared gradient
    weights: list[tf.Tensor]


def penalty(gamma: float, weights: list, anchor: Anchor) -> tf.Tensor:
    """gamma / 2 * sum of importance * (weight - anchored weight)^2."""
    return gamma * quadratic_penalty(weights, anchor.weights, anchor.importance)


def settled_costs(config: Config, vae: Vae, images: tf.Tensor, uniform: tf.Tensor, temperature=1.0) -> Costs:
    """The ELBO's terms without sampling z_c: its mean, and a hard sample of z_d (uniform noise [n, classes])."""
    posterior = losses.encode(config, vae, images)
    # The maximum of a relaxed sample does not depend on which version relaxed it.
    classes = q.harden(q.sample_classes_guarded(posterior.logits, uniform, temperature))
    latent = Latent(posterior.mean, classes)
    return losses.elbo_terms(config, images, Pass(posterior, latent, vae.decoder(latent.z)))


def squared_gradients(config: Config, vae: Vae, images: tf.Tensor, uniform: tf.Tensor) -> list[tf.Tensor]:
    """Squared gradients of each image's own cost, summed over images [n, ...]: one tensor per trainable variable."""
    variables = [variable.value for variable in vae.trainable_variables]

    def of_one(sample):
        with tf.GradientTape() as tape:
            cost = settled_costs(config, vae, sample[0][None], sample[1][None]).total(config)
        return tape.gradient(cost, variables, unconnected_gradients="zero")

    total = [tf.zeros_like(variable) for variable in variables]
    for start in range(0, images.shape[0], _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        gradients = tf.vectorized_map(of_one, (images[part], uniform[part]))
        total = [sums + tf.reduce_sum(tf.square(gradient), axis=0) for sums, gradient in zip(total, gradients)]
    return total


def fisher_information(config: Config, vae: Vae, samples: Samples, visit: int) -> list[tf.Tensor]:
    """Mean squared gradient over at most `ewc_samples` images: one tensor per trainable variable.

    Args:
      visit: number of the visit whose end this is (from 0); selects images and noise.
    """
    count = min(config.ewc_samples, len(samples))
    rows = randomness.host_generator(config.seed, "fisher", visit).permutation(len(samples))[:count]
    squared = device.graph(lambda images, uniform: squared_gradients(config, vae, images, uniform))
    total = None
    for number, start in enumerate(range(0, count, _CALL)):
        images = tf.constant(samples.take(rows[start:start + _CALL], config.architecture.input_shape))
        uniform = tf.random.stateless_uniform([len(images), vae.latents.classes],
                                              randomness.key(config.seed, "fisher", visit, number))
        sums = squared(images, uniform)
        total = sums if total is None else [old + new for old, new in zip(total, sums, strict=True)]
    return [sums / count for sums in total]


def anchored(vae: Vae, importance: list[tf.Tensor], before: Anchor | None) -> Anchor:
    """The anchor after one more distribution: importances add up, the weights are the present ones."""
    earlier = before.importance if before else [0.0] * len(importance)
    return Anchor([old + new for old, new in zip(earlier, importance, strict=True)],
                  [tf.identity(variable.value) for variable in vae.trainable_variables])
