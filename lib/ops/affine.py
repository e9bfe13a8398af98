"""Linear, convolution and transposed convolution as the WGAN-GP code base of MeRGAN initialises them.

Kernels are drawn uniformly with a standard deviation that follows the fan-in and the fan-out *after* striding;
biases start at zero. Kernel layouts are TF1's: [in, out], [ky, kx, in, out] and, transposed, [ky, kx, out, in].
"""

import math

import keras

from lib import randomness
from lib.ops import strided


def _uniform(variance: float, seed: int) -> keras.initializers.Initializer:
    limit = math.sqrt(3.0 * variance)
    return keras.initializers.RandomUniform(-limit, limit, seed=seed)


def linear(inputs: int, outputs: int, *, name: str, seed: int, dtype) -> keras.layers.Dense:
    """Fully connected layer; kernel variance 2 / (inputs + outputs)."""
    kernel = _uniform(2.0 / (inputs + outputs), randomness.initial_seed(seed, name))
    return keras.layers.Dense(outputs, kernel_initializer=kernel, name=name, dtype=dtype)


def conv(inputs: int, outputs: int, size: int, *, strides: int = 1, he: bool = True, bias: bool = True,
         name: str, seed: int, dtype) -> keras.layers.Conv2D:
    """SAME convolution over NHWC; kernel variance 4 (He) or 2 over fan-in + fan-out."""
    fan_in, fan_out = inputs * size**2, outputs * size**2 // strides**2
    kernel = _uniform((4.0 if he else 2.0) / (fan_in + fan_out), randomness.initial_seed(seed, name))
    return strided.convolution(size, strides)(outputs, size, strides, padding="same", use_bias=bias,
                                              kernel_initializer=kernel, name=name, dtype=dtype)


def transposed_conv(inputs: int, outputs: int, size: int, *, name: str, seed: int, dtype):
    """Transposed SAME convolution of stride 2 over NHWC (side s -> 2s); kernel variance 4 / (fan-in + fan-out)."""
    fan_in, fan_out = inputs * size**2 // 4, outputs * size**2
    kernel = _uniform(4.0 / (fan_in + fan_out), randomness.initial_seed(seed, name))
    return strided.StridedConvTranspose(outputs, size, 2, padding="same", kernel_initializer=kernel, name=name,
                                        dtype=dtype)
