"""Convolutions of stride 2, as fast as the CPU allows.

A convolution, its transpose and its kernel gradient are three views of one trilinear form, so each of the three has
the other two as its gradients, to any order (the gradient penalty needs the second). Two of TensorFlow's CPU kernels
are far from what the machine can do, and are rewritten here in terms of others:

- the transpose onto an image of a few channels, as a 3x3 convolution whose output channels are the four pixels of a
  block (Shi et al. 2016, "sub-pixel convolution");
- the kernel gradient in bfloat16, as a dilated convolution of the input by the output's gradient, with the batch as
  channels.

On a CPU without units for bfloat16, where TensorFlow's kernels take 15 times as long as in float32, the values are
multiplied in float32 and the result is rounded, which is what such a unit does.

Kernels are 4x4 or 5x5 and the padding is TF's SAME: of a 5x5 kernel on an even side one pixel before and two behind.
"""

import functools
import math
import re
from pathlib import Path

import keras
import tensorflow as tf

_FEW_CHANNELS = 4  # up to here the sub-pixel form wins
_SIZES = (4, 5)
_CPU = Path("/proc/cpuinfo")  # on Linux


def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[n, height, width, in] * [size, size, in, out] -> [n, h, w, out], of half the sides (rounded up)."""

    @tf.custom_gradient
    def differentiable(x, kernel):
        return (_as_by_units(_convolve, x, kernel),
                lambda dy: (transpose(dy, kernel, x.shape[1:3]), kernel_gradient(x, dy, kernel.shape[0])))

    return differentiable(x, kernel)


def transpose(y: tf.Tensor, kernel: tf.Tensor, sides=None) -> tf.Tensor:
    """[n, h, w, out] * [size, size, in, out] -> [n, *sides, in]: the derivative of `convolve` by x, applied to y.

    Args:
      sides: height and width; None: twice those of y.
    """
    doubled = tuple(2 * side for side in y.shape[1:3])
    sides = tuple(sides or doubled)
    few = kernel.shape[2] <= _FEW_CHANNELS and sides == doubled
    compute = _subpixel if _on_cpu() and few else functools.partial(_transpose, sides=sides)

    @tf.custom_gradient
    def differentiable(y, kernel):
        return (_as_by_units(compute, y, kernel),
                lambda dx: (convolve(dx, kernel), kernel_gradient(dx, y, kernel.shape[0])))

    return differentiable(y, kernel)


def kernel_gradient(x: tf.Tensor, y: tf.Tensor, size: int) -> tf.Tensor:
    """[n, height, width, in] * [n, h, w, out] -> [size, size, in, out]: the derivative of `convolve` by its kernel,
    applied to y."""
    compute = functools.partial(_kernel_gradient, size=size)

    @tf.custom_gradient
    def differentiable(x, y):
        return _as_by_units(compute, x, y), lambda dk: (transpose(y, dk, x.shape[1:3]), convolve(x, dk))

    return differentiable(x, y)


def _on_cpu() -> bool:
    return not tf.config.list_logical_devices("GPU")


@functools.cache
def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16, by what Linux says of it (x86 and ARM); False elsewhere."""
    return _CPU.exists() and bool(re.search(r"\b(amx_bf16|avx512_bf16|bf16)\b", _CPU.read_text()))


def _as_by_units(compute, a, b):
    """`compute(a, b)` as units for their dtype do it: with float32 sums, rounded at the end."""
    if a.dtype == tf.bfloat16 and _on_cpu() and not _cpu_has_bfloat16():
        return tf.cast(compute(tf.cast(a, tf.float32), tf.cast(b, tf.float32)), a.dtype)
    return compute(a, b)


def _convolve(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _transpose(y, kernel, sides):
    channels = kernel.shape[2]
    x = tf.nn.conv2d_transpose(y, kernel, tf.stack([tf.shape(y)[0], *sides, channels]), 2, "SAME")
    return tf.ensure_shape(x, [y.shape[0], *sides, channels])


def _subpixel(y, kernel):
    size, _, channels, inputs = kernel.shape
    # Row 2i + p of the image meets row i + 1 - b of y through kernel row 2b + p - 1; rows of zeros stand for row -1,
    # and for row 4 of a 4x4 kernel.
    around = [1, 5 - size]
    blocks = tf.reshape(tf.pad(kernel, [around, around, [0, 0], [0, 0]]), [3, 2, 3, 2, channels, inputs])
    blocks = tf.reshape(tf.transpose(blocks[::-1, :, ::-1], [0, 2, 5, 1, 3, 4]), [3, 3, inputs, 4 * channels])
    return tf.nn.depth_to_space(tf.nn.conv2d(y, blocks, 1, "SAME"), 2)


def _kernel_gradient(x, y, size):
    if _on_cpu() and x.dtype == tf.bfloat16:
        return _dilated(x, y, size)
    return tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=[size, size, x.shape[3], y.shape[3]],
                                           out_backprop=y, strides=[1, 2, 2, 1], padding="SAME")


def _dilated(x, y, size):
    # oneDNN takes the channels, here the batch, in pairs. Of an odd number, of 63 for one, its result holds whatever
    # lay in memory beside them (CPUs with avx512_bf16), so zeros make the number even.
    odd = tf.shape(x)[0] % 2
    around = [_padding(*sides, size) for sides in zip(x.shape[1:3], y.shape[1:3])]
    padded, y = tf.pad(x, [[0, odd], *around, [0, 0]]), tf.pad(y, [[0, odd], [0, 0], [0, 0], [0, 0]])
    gradient = tf.nn.conv2d(tf.transpose(padded, [3, 1, 2, 0]), tf.transpose(y, [1, 2, 0, 3]), 1, "VALID",
                            dilations=2)
    return tf.transpose(gradient, [1, 2, 0, 3])


def _padding(side: int, strided_side: int, size: int) -> list[int]:
    """TF's SAME: pixels before and behind."""
    both = 2 * (strided_side - 1) + size - side
    return [both // 2, both - both // 2]


class StridedConv(keras.layers.Conv2D):
    """Keras' convolution of stride 2, computed by `convolve`."""

    def convolution_op(self, inputs, kernel):
        return convolve(inputs, tf.convert_to_tensor(kernel))


class StridedConvTranspose(keras.layers.Conv2DTranspose):
    """Keras' transposed convolution of stride 2, computed by `transpose`."""

    def call(self, inputs):
        outputs = transpose(inputs, tf.convert_to_tensor(self.kernel))
        return tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias)) if self.use_bias else outputs


class WholeMapConv(keras.layers.Conv2D):
    """Keras' convolution whose stride is its kernel's size, on maps of that size: one product per image."""

    def convolution_op(self, inputs, kernel):
        if inputs.shape[1:3] != kernel.shape[:2]:
            return super().convolution_op(inputs, kernel)
        outputs = kernel.shape[3]
        product = tf.matmul(tf.reshape(inputs, [-1, math.prod(inputs.shape[1:])]), tf.reshape(kernel, [-1, outputs]))
        return tf.reshape(product, [-1, 1, 1, outputs])


def convolution(size: int, strides: int) -> type[keras.layers.Conv2D]:
    """The kind of layer for a SAME convolution."""
    if strides == 2 and size in _SIZES:
        return StridedConv
    return WholeMapConv if size == strides > 1 else keras.layers.Conv2D


def transposed_convolution(size: int, strides: int) -> type[keras.layers.Conv2DTranspose]:
    """The kind of layer for a transposed SAME convolution."""
    return StridedConvTranspose if strides == 2 and size in _SIZES else keras.layers.Conv2DTranspose
