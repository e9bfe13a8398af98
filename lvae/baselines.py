"""What the Lifelong VAE is compared with: EWC. The other baselines differ in their data alone.

- vanilla: one VAE goes on with whatever distribution comes next;
- full_batch: all distributions at once, from the start;
- progressive: all distributions seen so far;
- ewc: as vanilla, with a quadratic penalty on leaving the weights of the distribution before, weighted by the Fisher
  information of the negative ELBO (Kirkpatrick et al. 2017, as the authors' PyTorch version computes it).
"""

from typing import NamedTuple

import tensorflow as tf

from lvae import losses
from lvae import posterior as q
from lvae.config import Config
from lvae.losses import Costs, Pass
from lvae.networks import Vae
from lvae.posterior import Latent

_SAMPLES_AT_ONCE = 8  # per-sample gradients held in memory


class Anchor(NamedTuple):
    """What EWC remembers: weights, and how much each of them matters, in the order of the trainable variables."""

    importance: list[tf.Tensor]  # sum over distributions of the mean squared gradient
    weights: list[tf.Tensor]


def penalty(gamma: float, weights: list, anchor: Anchor) -> tf.Tensor:
    """gamma / 2 * sum of importance * (weight - anchored weight)^2."""
    terms = [tf.reduce_sum(importance * tf.square(weight - anchored))
             for weight, importance, anchored in zip(weights, anchor.importance, anchor.weights, strict=True)]
    return 0.5 * gamma * tf.add_n(terms)


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
    for start in range(0, images.shape[0], _SAMPLES_AT_ONCE):
        part = slice(start, start + _SAMPLES_AT_ONCE)
        gradients = tf.vectorized_map(of_one, (images[part], uniform[part]))
        total = [sums + tf.reduce_sum(tf.square(gradient), axis=0) for sums, gradient in zip(total, gradients)]
    return total


def anchored(vae: Vae, importance: list[tf.Tensor], before: Anchor | None) -> Anchor:
    """The anchor after one more distribution: importances add up, the weights are the present ones."""
    earlier = before.importance if before else [0.0] * len(importance)
    return Anchor([old + new for old, new in zip(earlier, importance, strict=True)],
                  [tf.identity(variable.value) for variable in vae.trainable_variables])
