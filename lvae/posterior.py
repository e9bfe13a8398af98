"""The decoupled posterior q(z_c, z_d | x): an isotropic Gaussian z_c and a relaxed one-hot class z_d.

All noise is passed in. Two parameterisations exist, the TF1 code's and that of the authors' later PyTorch version;
they differ in how the scale is read from the encoder's output and in small constants.
"""

from typing import NamedTuple

import tensorflow as tf

from lvae.networks import Latents

_ANNEALING_RATE = 3e-5
_LOWEST_TEMPERATURE = 0.5
_ANNEALING_PERIOD = 10


class Posterior(NamedTuple):
    """Parameters of q(z | x) for n images."""

    mean: tf.Tensor  # [n, continuous]
    scale: tf.Tensor  # standard deviation that samples are drawn with, [n, continuous]
    divergence_scale: tf.Tensor  # standard deviation that every KL uses (its sign is irrelevant), [n, continuous]
    logits: tf.Tensor  # of the classes, [n, classes]


class Latent(NamedTuple):
    """A sample of the latent variable."""

    continuous: tf.Tensor  # [n, continuous]
    discrete: tf.Tensor  # [n, classes], rows sum to one

    @property
    def z(self) -> tf.Tensor:
        return tf.concat([self.continuous, self.discrete], axis=1)


class LatentNoise(NamedTuple):
    """What one sample of a posterior draws."""

    normal: tf.Tensor  # N(0, 1), [n, continuous]
    uniform: tf.Tensor  # U[0, 1), [n, classes]


class Annealing(NamedTuple):
    """State of the Gumbel-softmax temperature. The next call uses `temperature`."""

    calls: tf.Tensor  # int32, training and test calls of this model so far
    temperature: tf.Tensor  # float32


def _split(outputs: tf.Tensor, latents: Latents) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return tf.split(outputs, [latents.continuous, latents.continuous, latents.classes], axis=1)


def softplus_posterior(outputs: tf.Tensor, latents: Latents) -> Posterior:
    """TF1: columns are the scale before softplus, the mean, the class logits."""
    raw, mean, logits = _split(outputs, latents)
    scale = 1e-6 + tf.nn.softplus(raw)
    return Posterior(mean, scale, scale, logits)


def log_variance_posterior(outputs: tf.Tensor, latents: Latents) -> Posterior:
    """PyTorch version: columns are the mean, s, the class logits.

    Samples read s as a log-variance, every KL reads it as the standard deviation itself.
    """
    mean, raw, logits = _split(outputs, latents)
    s = raw + 1e-9
    return Posterior(mean, tf.exp(0.5 * s), s, logits)


def sample_gaussian(posterior: Posterior, normal: tf.Tensor) -> tf.Tensor:
    """z_c [n, continuous] from N(0, 1) noise of that shape."""
    return posterior.mean + posterior.scale * normal


def sample_classes(logits: tf.Tensor, uniform: tf.Tensor, temperature) -> tf.Tensor:
    """TF1's Gumbel-softmax [n, classes]: softmax((g + logits) / temperature) with g = -ln(-ln u); never made hard."""
    tiny = uniform.dtype.as_numpy_dtype(1.1754944e-38)  # the smallest normal float32: u = 0 would give -infinity
    gumbel = -tf.math.log(-tf.math.log(tf.maximum(uniform, tiny)))
    return tf.nn.softmax((logits + gumbel) / tf.cast(temperature, logits.dtype))


def sample_classes_guarded(logits: tf.Tensor, uniform: tf.Tensor, temperature) -> tf.Tensor:
    """The PyTorch version's Gumbel-softmax, with 1e-9 inside each logarithm and beside the scaled logits."""
    gumbel = -tf.math.log(-tf.math.log(uniform + 1e-9) + 1e-9)
    return tf.nn.softmax((logits + gumbel) / tf.cast(temperature, logits.dtype) + 1e-9)


def harden(soft: tf.Tensor) -> tf.Tensor:
    """One-hot of the row maxima with the gradient of `soft` (straight-through), rounded as float32 rounds that."""
    single = tf.cast(soft, tf.float32)
    hard = tf.cast(tf.equal(soft, tf.reduce_max(soft, axis=1, keepdims=True)), tf.float32)
    return tf.cast(tf.stop_gradient(hard - single) + single, soft.dtype)


def gaussian_kl(mean: tf.Tensor, scale: tf.Tensor, prior_mean=0.0, prior_scale=1.0) -> tf.Tensor:
    """KL(N(mean, scale^2) || N(prior_mean, prior_scale^2)) summed over dimensions, [n]."""
    ratio = tf.square(scale / prior_scale)
    distance = tf.square((mean - prior_mean) / prior_scale)
    return 0.5 * tf.reduce_sum(distance + ratio - 1.0 - tf.math.log(ratio), axis=1)


def kl_to_standard_normal(posterior: Posterior) -> tf.Tensor:
    """KL(q(z_c | x) || N(0, I)), [n]."""
    return gaussian_kl(posterior.mean, posterior.divergence_scale)


def kl_to_uniform(logits: tf.Tensor) -> tf.Tensor:
    """KL(softmax(logits) || uniform) [n]; zero when there is no class or only one."""
    classes = logits.shape[1]
    if classes == 0:
        return tf.zeros(tf.shape(logits)[:1], logits.dtype)
    log_uniform = -tf.math.log(tf.cast(classes, logits.dtype))
    return tf.reduce_sum(tf.nn.softmax(logits) * (tf.nn.log_softmax(logits) - log_uniform), axis=1)


def start_annealing() -> Annealing:
    """Of a model that was never called: temperature 1."""
    return Annealing(tf.constant(0), tf.constant(1.0))


def annealed(calls: tf.Tensor) -> tf.Tensor:
    """max(exp(-3e-5 calls), 0.5)."""
    return tf.maximum(tf.exp(-_ANNEALING_RATE * tf.cast(calls, tf.float32)), _LOWEST_TEMPERATURE)


def after_training_call(state: Annealing) -> Annealing:
    """TF1: every tenth call, if it trains, sets the temperature of the calls after it."""
    due = tf.logical_and(state.calls > 0, tf.equal(state.calls % _ANNEALING_PERIOD, 0))
    temperature = tf.where(due, annealed(state.calls), state.temperature)
    return Annealing(state.calls + 1, temperature)


def after_test_calls(state: Annealing, count: int) -> Annealing:
    """Test calls advance the counter too, but leave the temperature alone."""
    return Annealing(state.calls + count, state.temperature)


def temperature_by_forward_call(calls: tf.Tensor) -> tf.Tensor:
    """PyTorch version: every tenth call of the reparameteriser refreshes the temperature before it uses it."""
    return annealed(calls - calls % _ANNEALING_PERIOD)
