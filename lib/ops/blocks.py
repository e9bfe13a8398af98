"""Residual blocks of the 64x64 networks (WGAN-GP's ResNet: `lsun` of MeRGAN)."""

import keras
import tensorflow as tf

from lib.ops import affine
from lib.ops.norm import BatchStatisticsNorm, LayerNorm


def double(x: tf.Tensor) -> tf.Tensor:
    """Nearest-neighbour upsampling of NHWC maps, side s -> 2s."""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def halve(x: tf.Tensor) -> tf.Tensor:
    """Means over 2x2 blocks of NHWC maps, side 2s -> s."""
    return tf.nn.avg_pool2d(x, 2, 2, "SAME")


class _Block(keras.layers.Layer):

    def parts(self):
        return [self.shortcut, self.norm1, self.conv1, self.norm2, self.conv2]


class UpBlock(_Block):
    """Doubles the side: norm, ReLU, doubling, 3x3, norm, ReLU, 3x3, plus a doubled 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        # TF 1.4's fused batch norm raises the 1e-5 of the code to this.
        norm = dict(epsilon=1.001e-5, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        self.shortcut = affine.conv(inputs, outputs, 1, he=False, name=f"{name}.Shortcut", **options)
        self.norm1 = BatchStatisticsNorm(name=f"{name}.BN1", **norm)
        self.conv1 = affine.conv(inputs, outputs, 3, bias=False, name=f"{name}.Conv1", **options)
        self.norm2 = BatchStatisticsNorm(name=f"{name}.BN2", **norm)
        self.conv2 = affine.conv(outputs, outputs, 3, name=f"{name}.Conv2", **options)

    def call(self, x, groups: int = 1):
        # A 1x1 convolution and the doubling commute: convolving first saves three quarters of the work.
        shortcut = double(self.shortcut(x))
        x = self.conv1(double(tf.nn.relu(self.norm1(x, groups=groups))))
        return shortcut + self.conv2(tf.nn.relu(self.norm2(x, groups=groups)))


class DownBlock(_Block):
    """Halves the side: norm, ReLU, 3x3, norm, ReLU, 3x3, 2x2 means, plus a halved 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)
        options = dict(seed=seed, dtype=dtype)
        self.shortcut = affine.conv(inputs, outputs, 1, he=False, name=f"{name}.Shortcut", **options)
        self.norm1 = LayerNorm(name=f"{name}.BN1", dtype=dtype)
        self.conv1 = affine.conv(inputs, inputs, 3, bias=False, name=f"{name}.Conv1", **options)
        self.norm2 = LayerNorm(name=f"{name}.BN2", dtype=dtype)
        self.conv2 = affine.conv(inputs, outputs, 3, name=f"{name}.Conv2", **options)

    def call(self, x):
        shortcut = self.shortcut(halve(x))
        x = self.conv1(tf.nn.relu(self.norm1(x)))
        return shortcut + halve(self.conv2(tf.nn.relu(self.norm2(x))))
