"""Layers as TF-Slim makes them: truncated-normal kernels, a bias only without a normaliser, slim's batch norm.

Layers carry slim's names (Conv, Conv_1, ..., fully_connected), which are their TF1 variable scopes with a dot for the
slash. Kernel layouts are TF1's: [in, out], [ky, kx, in, out] and, transposed, [ky, kx, out, in].
"""

import collections
import functools
from typing import Callable

import keras
import tensorflow as tf

from lib import randomness
from lib.ops import strided
from lib.ops.norm import BatchNorm, LayerNorm, Moments

layer_norm = functools.partial(LayerNorm, epsilon=1e-12)


def normalise(norm, x: tf.Tensor, training: bool):
    """(x through `norm`, {norm's name: Moments}); `norm` is a batch norm in training or not, a layer norm, or None."""
    if not isinstance(norm, BatchNorm):
        return (x if norm is None else norm(x)), {}
    x, moments = norm(x, training=training)
    return x, ({} if moments is None else {norm.name: moments})


class Stage(keras.layers.Layer):
    """A convolution or matrix product, then a norm or a bias, then an activation: -> (x, {norm's name: Moments})."""

    def __init__(self, affine, norm, activation: Callable, *, dtype):
        super().__init__(name=f"{affine.name}.stage", dtype=dtype)
        self.affine, self.norm, self.activation = affine, norm, activation

    def parts(self):
        return [self.affine] + ([] if self.norm is None else [self.norm])

    def call(self, x, training: bool):
        x, seen = normalise(self.norm, self.affine(x), training)
        return self.activation(x), seen


class Scope:
    """Makes the layers of one TF1 variable scope and numbers them per kind, in the order they are asked for.

    Args:
      name: the scope, which separates the initial weights of two networks of one seed.
    """

    def __init__(self, name: str, *, seed: int, dtype):
        self.name, self.seed, self.dtype = name, seed, dtype
        self.counts = collections.Counter()

    def head(self) -> "Scope":
        """The same scope for a network's last layers, which compute in the variables' dtype: float32 at least."""
        scope = Scope(self.name, seed=self.seed, dtype=keras.dtype_policies.get(self.dtype).variable_dtype)
        scope.counts = self.counts
        return scope

    def conv(self, filters: int, size: int, strides: int = 1, norm: str | None = None, activation=tf.identity) -> Stage:
        """SAME convolution over NHWC; `norm` is "BatchNorm", "LayerNorm" or None (a bias)."""
        return self._stage("Conv", strided.convolution(size, strides), norm, activation, filters, size, strides,
                           padding="same")

    def transposed_conv(self, filters: int, size: int, strides: int = 1, norm: str | None = None,
                        activation=tf.identity) -> Stage:
        """Transposed SAME convolution over NHWC, side s -> s * strides."""
        return self._stage("Conv2d_transpose", strided.transposed_convolution(size, strides), norm, activation,
                           filters, size, strides, padding="same")

    def dense(self, units: int, norm: str | None = None, activation=tf.identity) -> Stage:
        return self._stage("fully_connected", keras.layers.Dense, norm, activation, units)

    def norm(self, kind: str):
        """A normaliser that stands alone."""
        return self._norm(kind, self._number(kind))

    def _number(self, kind: str) -> str:
        number = self.counts[kind]
        self.counts[kind] += 1
        return f"{kind}_{number}" if number else kind

    def _norm(self, kind: str, name: str):
        if kind == "LayerNorm":
            return layer_norm(name=name, dtype=self.dtype)
        return BatchNorm(scaled=False, name=name, dtype=self.dtype)

    def _stage(self, kind, layer, norm, activation, *sizes, **options) -> Stage:
        name = self._number(kind)
        kernel = keras.initializers.TruncatedNormal(
            stddev=0.02, seed=randomness.initial_seed(self.seed, self.name, name))
        affine = layer(*sizes, **options, use_bias=norm is None, kernel_initializer=kernel, name=name,
                       dtype=self.dtype)
        return Stage(affine, norm and self._norm(norm, f"{name}.{norm}"), activation, dtype=self.dtype)


def tf1_names(parts, scope: str) -> dict[str, keras.Variable]:
    """The variables of `parts` (affine layers and norms) under their TF1 names; scope ends in a slash."""
    names = {}
    for part in parts:
        path = scope + part.name.replace(".", "/")
        if isinstance(part, BatchNorm):
            suffixes = {"beta": part.offset, "moving_mean": part.moving_mean, "moving_variance": part.moving_variance}
        elif isinstance(part, LayerNorm):
            suffixes = {"beta": part.offset, "gamma": part.scale}
        else:
            suffixes = {"weights": part.kernel} | ({"biases": part.bias} if part.use_bias else {})
        names |= {f"{path}/{suffix}": variable for suffix, variable in suffixes.items()}
    return names


def update_moving_averages(parts, moments: dict[str, Moments]) -> None:
    """Move the averages of every batch norm among `parts` that `moments` names."""
    for part in parts:
        if part.name in moments:
            part.update(moments[part.name])
