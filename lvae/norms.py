"""Normalisations of the VAE's bodies, as `slim` of TF1 computes them; statistics and tables in float32 at least."""

import functools

import keras
import tensorflow as tf

from lib.ops.norm import at_least_float32


class BatchNorm(keras.layers.Layer):
    """Batch norm over all axes but the last, with moving statistics for inference.

    A training call normalises by the batch's own statistics and moves the averages by 1 - `decay` towards them. The
    moving variance collects the unbiased variance n / (n - 1), as the fused kernel of TF 1.3 and 1.4 does; the
    normalisation itself uses the biased one.
    """

    def __init__(self, decay: float = 0.999, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.decay = decay
        self.epsilon = epsilon

    def build(self, shape):
        weight = functools.partial(self.add_weight, shape=(shape[-1],), autocast=False)
        self.beta = weight(initializer="zeros", name="beta")
        self.gamma = weight(initializer="ones", name="gamma")
        self.moving_mean = weight(initializer="zeros", trainable=False, name="moving_mean")
        self.moving_variance = weight(initializer="ones", trainable=False, name="moving_variance")
        self.built = True

    def call(self, x, training: bool = False):
        wide = at_least_float32(x)
        if training:
            mean, variance = tf.nn.moments(wide, axes=list(range(wide.shape.rank - 1)))
            self._move(mean, variance, tf.size(wide) // wide.shape[-1])
        else:
            mean, variance = (tf.cast(moving, wide.dtype) for moving in (self.moving_mean, self.moving_variance))
        factor = tf.math.rsqrt(variance + self.epsilon) * tf.cast(self.gamma, wide.dtype)
        return tf.cast(wide * factor + (tf.cast(self.beta, wide.dtype) - mean * factor), x.dtype)

    def _move(self, mean, variance, samples) -> None:
        samples = tf.cast(samples, variance.dtype)
        # A single sample has no unbiased variance; it leaves the biased one, which is zero.
        unbiased = variance * samples / tf.maximum(samples - 1.0, 1.0)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            moving.assign_sub((moving - tf.cast(batch, moving.dtype)) * (1.0 - self.decay))


class LayerNorm(keras.layers.Layer):
    """Layer norm over all axes but the first (biased variance), then a scale and an offset per channel."""

    def __init__(self, epsilon: float = 1e-12, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, shape):
        weight = functools.partial(self.add_weight, shape=(shape[-1],), autocast=False)
        self.beta = weight(initializer="zeros", name="beta")
        self.gamma = weight(initializer="ones", name="gamma")
        self.built = True

    def call(self, x):
        wide = at_least_float32(x)
        mean, variance = tf.nn.moments(wide, axes=list(range(1, wide.shape.rank)), keepdims=True)
        factor = tf.math.rsqrt(variance + self.epsilon) * tf.cast(self.gamma, wide.dtype)
        return tf.cast(wide * factor + (tf.cast(self.beta, wide.dtype) - mean * factor), x.dtype)
