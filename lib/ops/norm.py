"""Normalisations. Statistics are computed in float32 at least, whatever the compute dtype.

No variable is cast to the compute dtype: rounded to bfloat16, a scale near one stands still for 40 steps of 1e-4.
"""

import functools
from typing import NamedTuple

import keras
import tensorflow as tf


def at_least_float32(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


def _normalised(x: tf.Tensor, mean, variance, scale, offset, epsilon: float) -> tf.Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, in one product and one sum over x; scale: or None."""
    factor = tf.math.rsqrt(variance + epsilon)
    if scale is not None:
        factor *= tf.cast(scale, x.dtype)
    return x * factor + (tf.cast(offset, x.dtype) - mean * factor)


class BatchStatisticsNorm(keras.layers.Layer):
    """Batch norm with the statistics of the current batch, in training, replay, pictures and tests alike; optionally
    one scale and offset per class. Nothing reads or updates the moving averages: TF1 checkpoints hold them.

    With `groups` g the batch [g * m, h, w, c] counts as g batches of m consecutive samples, each with statistics of
    its own: how several single-class batches pass through a generator in one call.

    Args:
      classes: rows of the [classes, channels] scale and offset tables (conditional batch norm), or None for [channels].
      epsilon: added to the variance.
    """

    def __init__(self, classes: int | None = None, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes
        self.epsilon = epsilon

    def build(self, shape):
        table = (shape[-1],) if self.classes is None else (self.classes, shape[-1])
        weight = functools.partial(self.add_weight, shape=table, autocast=False)
        self.scale = weight(initializer="ones", name="scale")
        self.offset = weight(initializer="zeros", name="offset")
        self.moving_mean = weight(initializer="zeros", trainable=False, name="moving_mean")
        self.moving_variance = weight(initializer="ones", trainable=False, name="moving_variance")
        self.built = True

    def call(self, x, labels=None, groups: int = 1):
        wide = at_least_float32(x)
        height, width, channels = wide.shape[1:]
        grouped = tf.reshape(wide, [groups, -1, height, width, channels])
        mean, variance = tf.nn.moments(grouped, axes=[1, 2, 3], keepdims=True)
        scale, offset = tf.cast(self.scale, wide.dtype), tf.cast(self.offset, wide.dtype)
        if self.classes is not None:
            table = [groups, -1, 1, 1, channels]
            scale = tf.reshape(tf.gather(scale, labels), table)
            offset = tf.reshape(tf.gather(offset, labels), table)
        normalised = _normalised(grouped, mean, variance, scale, offset, self.epsilon)
        return tf.cast(tf.reshape(normalised, tf.shape(x)), x.dtype)


class Moments(NamedTuple):
    """Statistics of one batch per channel, for the moving averages."""

    mean: tf.Tensor
    variance: tf.Tensor  # unbiased, as TF 1.4's fused kernel hands it on


class BatchNorm(keras.layers.Layer):
    """Slim's batch norm over all axes but the last: batch statistics in training, moving averages of them elsewhere.

    A call changes nothing: it returns (normalised x, Moments when training else None), and `update` moves the averages
    by a thousandth. They collect the unbiased variance, the normalisation itself uses the biased one.

    Args:
      scaled: whether there is a scale beside the offset.
    """

    epsilon = 1e-3
    decay = 0.999

    def __init__(self, scaled: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.scaled = scaled

    def build(self, shape):
        weight = functools.partial(self.add_weight, shape=(shape[-1],), autocast=False)
        self.scale = weight(initializer="ones", name="scale") if self.scaled else None
        self.offset = weight(initializer="zeros", name="offset")
        average = functools.partial(weight, trainable=False, aggregation="mean")  # over replicas
        self.moving_mean = average(initializer="zeros", name="moving_mean")
        self.moving_variance = average(initializer="ones", name="moving_variance")
        self.built = True

    def call(self, x, training: bool):
        wide = at_least_float32(x)
        if training:
            normalised, moments = self._fused(wide) if wide.dtype == tf.float32 else self._by_moments(wide)
        else:
            mean, variance = (tf.cast(average, wide.dtype) for average in (self.moving_mean, self.moving_variance))
            normalised, moments = _normalised(wide, mean, variance, self.scale, self.offset, self.epsilon), None
        return tf.cast(normalised, x.dtype), moments

    def _by_moments(self, x):
        """What `_fused` gives, for float64, which its kernel does not take."""
        mean, variance = tf.nn.moments(x, axes=list(range(x.shape.rank - 1)))
        count = tf.cast(tf.size(x) // x.shape[-1], x.dtype)
        # A single sample has no unbiased variance; it leaves the biased one, which is zero.
        moments = Moments(mean, variance * count / tf.maximum(count - 1.0, 1.0))
        return _normalised(x, mean, variance, self.scale, self.offset, self.epsilon), moments

    def _fused(self, x):
        """(normalised x, Moments) of a batch in float32, by one kernel."""
        channels = x.shape[-1]
        scale = self.scale if self.scaled else tf.ones([channels])
        maps = x if x.shape.rank == 4 else tf.reshape(x, [-1, 1, 1, channels])
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=maps, scale=tf.convert_to_tensor(scale), offset=tf.convert_to_tensor(self.offset), mean=[], variance=[],
            epsilon=self.epsilon)
        return tf.reshape(normalised, tf.shape(x)), Moments(mean, variance)

    def update(self, moments: Moments) -> None:
        for average, value in ((self.moving_mean, moments.mean), (self.moving_variance, moments.variance)):
            average.assign_sub((average - tf.cast(value, average.dtype)) * (1.0 - self.decay))


class LayerNorm(keras.layers.Layer):
    """Layer norm over all values of a sample, then a scale and an offset per channel (last axis).

    `tf.nn.moments` holds the mean constant inside the variance. First derivatives are right all the same, but the
    gradient *of the gradient penalty* is not the exact one; the original's is the same (lsun critic).
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, shape):
        weight = functools.partial(self.add_weight, shape=(shape[-1],), autocast=False)
        self.scale = weight(initializer="ones", name="scale")
        self.offset = weight(initializer="zeros", name="offset")
        self.built = True

    def call(self, x):
        wide = at_least_float32(x)
        mean, variance = tf.nn.moments(wide, axes=list(range(1, x.shape.rank)), keepdims=True)
        return tf.cast(_normalised(wide, mean, variance, self.scale, self.offset, self.epsilon), x.dtype)
