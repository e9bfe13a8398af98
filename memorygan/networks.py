"""Generators (MCGN) and discriminators (DMN) of memoryGAN, and the names TF1 gives their variables.

Images are NHWC, in [0, 1] for the MNIST-like sets and in [-1, 1] for the others. With batch norm, what a network
returns for one sample in training depends on the whole batch; real and generated images pass separately.
"""

import math
from typing import NamedTuple

import keras
import tensorflow as tf

from lib.ops import slim
from lib.ops.blocks import double, halve
from memorygan.config import Config


class Output(NamedTuple):
    """What a network returns."""

    values: tf.Tensor  # images [n, h, w, c], queries [n, key_dim] or logits [n, 1]
    moments: dict  # {batch norm's name: statistics of this batch}, to move the averages with


class Networks(NamedTuple):
    """Both networks, with weights."""

    generator: keras.Model
    discriminator: keras.Model


def _lrelu(x):
    return tf.nn.leaky_relu(x, 0.2)


class Residual(keras.layers.Layer):
    """Two 3x3 convolutions plus a shortcut, then a norm and an activation.

    As in the original the asked norm only reaches the sum: the first convolution of the later blocks has batch norm
    whatever was asked for, and a batch norm after the sum uses the batch's statistics even outside training.

    Args:
      resample: "up" (before the convolutions), "down" (after them) or None.
      first_norm: of the first convolution; "BatchNorm", or None in a network's first block.
    """

    def __init__(self, scope: slim.Scope, filters: int, norm: str, activation, resample: str | None,
                 first_norm: str | None = "BatchNorm"):
        first = scope.conv(filters, 3, norm=first_norm, activation=activation)
        super().__init__(name=f"{first.affine.name}.block", dtype=scope.dtype)
        self.first = first
        self.second = scope.conv(filters, 3)
        self.shortcut = scope.conv(filters, 1) if resample else None
        self.norm = scope.norm(norm)
        self.activation, self.resample = activation, resample

    def parts(self) -> list:
        """Layers with variables, in the order in which TF1 makes them."""
        stages = [self.first, self.second] + ([self.shortcut] if self.shortcut else [])
        return [part for stage in stages for part in stage.parts()] + [self.norm]

    def call(self, x, training: bool):
        # A 1x1 convolution commutes with doubling and halving, so the shortcut is convolved at the smaller side.
        shortcut = x
        if self.resample == "down":
            shortcut = self.shortcut(halve(x), training=training)[0]
        if self.resample == "up":
            shortcut = double(self.shortcut(x, training=training)[0])
            x = double(x)
        x, of_first = self.first(x, training=training)
        x = self.second(x, training=training)[0]
        x, of_sum = slim.normalise(self.norm, (halve(x) if self.resample == "down" else x) + shortcut, True)
        return self.activation(x), of_first | of_sum


def _through(stages, x, training: bool):
    """(output, moments) of stages one after the other."""
    moments = {}
    for stage in stages:
        x, own = stage(x, training=training)
        moments |= own
    return x, moments


class Generator(keras.Model):
    """Dense stages, a reshape, convolutional stages, and a squashing function in the variables' dtype."""

    def __init__(self, dense, start: tuple, maps, squash, *, dtype):
        super().__init__(name="generator", dtype=dtype)
        self.dense, self.start, self.maps, self.squash = dense, start, maps, squash

    def parts(self) -> list:
        return [part for stage in [*self.dense, *self.maps] for part in stage.parts()]

    def call(self, inputs, training: bool = False):
        x, of_dense = _through(self.dense, inputs, training)
        x, of_maps = _through(self.maps, tf.reshape(x, [-1, *self.start]), training)
        return Output(self.squash(tf.cast(x, self.dtype_policy.variable_dtype)), of_dense | of_maps)


class Discriminator(keras.Model):
    """Convolutional stages, a mean over the map or a flattening, and dense stages: a query or a logit per image."""

    def __init__(self, maps, average: bool, dense, *, dtype):
        super().__init__(name="discriminator", dtype=dtype)
        self.maps, self.average, self.dense = maps, average, dense

    def parts(self) -> list:
        return [part for stage in [*self.maps, *self.dense] for part in stage.parts()]

    def call(self, images, training: bool = False):
        x, of_maps = _through(self.maps, images, training)
        x = tf.cast(x, self.dtype_policy.variable_dtype)
        x = tf.reduce_mean(x, axis=[1, 2]) if self.average else tf.reshape(x, [-1, math.prod(x.shape[1:])])
        x, of_dense = _through(self.dense, x, training)
        return Output(tf.cast(x, self.dtype_policy.variable_dtype), of_maps | of_dense)


def _base_g(config: Config, scope: slim.Scope) -> Generator:
    data, width = config.data, config.f_dim
    bn = dict(norm="BatchNorm", activation=tf.nn.relu)
    if data.architecture == "dcgan28":
        dense = [scope.dense(config.fc_dim, "BatchNorm", _lrelu), scope.dense(2 * width * 7 * 7, **bn)]
        maps = [scope.transposed_conv(2 * width, 4, 2, **bn), scope.transposed_conv(data.channels, 4, 2)]
        return Generator(dense, (7, 7, 2 * width), maps, tf.sigmoid, dtype=scope.dtype)
    if data.architecture == "dcgan40":
        dense = [scope.dense(4 * width * 5 * 5, "BatchNorm", _lrelu)]
        maps = [scope.transposed_conv(factor * width, size, strides, **bn)
                for factor in (2, 1) for size, strides in ((4, 2), (1, 1))]
        maps.append(scope.transposed_conv(data.channels, 4, 2))
        return Generator(dense, (5, 5, 4 * width), maps, tf.sigmoid, dtype=scope.dtype)
    dense = [scope.dense(width * 4 * 4, "LayerNorm", tf.nn.elu)]
    maps = [Residual(scope, width, "LayerNorm", tf.nn.elu, "up") for _ in range(int(math.log2(data.side // 4)))]
    maps.append(scope.conv(data.channels, 3))
    return Generator(dense, (4, 4, width), maps, tf.tanh, dtype=scope.dtype)


def _residual_maps(config: Config, scope: slim.Scope, norm: str, activation) -> list:
    """Down to a side of 8, then two blocks that keep it."""
    width = config.f_dim
    first = Residual(scope, width, norm, activation, "down", first_norm=None)
    further = ["down"] * int(math.log2(config.data.side // 16)) + [None, None]
    return [first, *(Residual(scope, width, norm, activation, resample) for resample in further)]


def _dcgan40_maps(width: int, scope: slim.Scope) -> list:
    return [scope.conv(width, 4, 2, activation=_lrelu)] + [
        scope.conv(factor * width, size, strides, "BatchNorm", _lrelu)
        for factor in (2, 4) for size, strides in ((4, 2), (1, 1))]


def _memory_d(config: Config, scope: slim.Scope) -> Discriminator:
    """The inference network; for a plain GAN (which the original cannot give it) a logit of its activated query."""
    architecture, width, key_dim = config.data.architecture, config.f_dim, config.key_dim
    residual = architecture == "resnet"
    last = tf.identity if config.has_memory else (tf.nn.elu if residual else _lrelu)
    if architecture == "dcgan28":
        maps = [scope.conv(width, 4, 2, activation=_lrelu), scope.conv(2 * width, 4, 2, "BatchNorm", _lrelu),
                scope.conv(4 * width, 4, 2, "BatchNorm", _lrelu), scope.head().conv(key_dim, 4, 4, "BatchNorm", last)]
    elif architecture == "dcgan40":
        maps = [*_dcgan40_maps(width, scope), scope.head().conv(key_dim, 5, 5, "BatchNorm", last)]
    else:
        maps = [*_residual_maps(config, scope, "LayerNorm", tf.nn.elu),
                scope.head().conv(key_dim, 4, 2, activation=last)]
    return Discriminator(maps, residual, [] if config.has_memory else [scope.head().dense(1)], dtype=scope.dtype)


def _base_d(config: Config, scope: slim.Scope) -> Discriminator:
    """The plain GAN's; before a memory (where the original stops with an assertion) it ends in a query."""
    architecture, width = config.data.architecture, config.f_dim
    outputs = config.key_dim if config.has_memory else 1
    if architecture == "dcgan28":
        maps = [scope.conv(width, 3, activation=_lrelu), scope.conv(2 * width, 3, norm="BatchNorm", activation=_lrelu)]
        dense = [scope.dense(config.fc_dim, "BatchNorm", _lrelu), scope.head().dense(outputs)]
        return Discriminator(maps, False, dense, dtype=scope.dtype)
    if architecture == "dcgan40":
        return Discriminator(_dcgan40_maps(width, scope), False, [scope.head().dense(outputs)], dtype=scope.dtype)
    maps = [*_residual_maps(config, scope, "BatchNorm", _lrelu), scope.conv(width, 4, 2, "BatchNorm", _lrelu)]
    return Discriminator(maps, True, [scope.head().dense(outputs)], dtype=scope.dtype)


_DISCRIMINATORS = {"memory_d": _memory_d, "base_d": _base_d}


def build_generator(config: Config) -> Generator:
    """A generator with weights: [n, z_dim (+ key_dim)] -> Output of images [n, side, side, channels]."""
    model = _base_g(config, slim.Scope("g_", seed=config.seed, dtype=config.precision))
    model(tf.zeros([1, config.generator_inputs], model.dtype_policy.variable_dtype))
    return model


def build_discriminator(config: Config) -> Discriminator:
    """A discriminator with weights: images [n, side, side, channels] -> Output of queries or logits."""
    model = _DISCRIMINATORS[config.discriminator](config, slim.Scope("d_", seed=config.seed, dtype=config.precision))
    side = config.data.side
    model(tf.zeros([1, side, side, config.data.channels], model.dtype_policy.variable_dtype))
    return model


def build_networks(config: Config) -> Networks:
    """Both, with the initial weights of the config's seed."""
    return Networks(build_generator(config), build_discriminator(config))


def tf1_variables(networks: Networks) -> dict[str, keras.Variable]:
    """Every network variable under its TF1 name."""
    return (slim.tf1_names(networks.discriminator.parts(), "d_/")
            | slim.tf1_names(networks.generator.parts(), "g_/"))
