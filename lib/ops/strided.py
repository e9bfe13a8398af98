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

Sides are even and the padding is TF's SAME: for a 5x5 kernel one pixel before and two behind.
"""

import functools
import re
from pathlib import Path

import keras
import tensorflow as tf

_FEW_CHANNELS = 4  # up to here the sub-pixel form wins
_SIZE = 5
_CPU = Path("/proc/cpuinfo")  # on Linux


def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[n, 2h, 2w, in] * [5, 5, in, out] -> [n, h, w, out]."""

    @tf.custom_gradient
    def differentiable(x, kernel):
        return (_as_by_units(_convolve, x, kernel),
                lambda dy: (transpose(dy, kernel), kernel_gradient(x, dy)))

    return differentiable(x, kernel)


def transpose(y: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[n, h, w, out] * [5, 5, in, out] -> [n, 2h, 2w, in]: the derivative of `convolve` by x, applied to y."""
    compute = _subpixel if _on_cpu() and kernel.shape[2] <= _FEW_CHANNELS else _transpose

    @tf.custom_gradient
    def differentiable(y, kernel):
        return _as_by_units(compute, y, kernel), lambda dx: (convolve(dx, kernel), kernel_gradient(dx, y))

    return differentiable(y, kernel)


def kernel_gradient(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """[n, 2h, 2w, in] * [n, h, w, out] -> [5, 5, in, out]: the derivative of `convolve` by its kernel, applied to y."""

    @tf.custom_gradient
    def differentiable(x, y):
        return _as_by_units(_kernel_gradient, x, y), lambda dk: (transpose(y, dk), convolve(x, dk))

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


def _transpose(y, kernel):
    n, height, width = tf.unstack(tf.shape(y)[:3])
    shape = tf.stack([n, 2 * height, 2 * width, kernel.shape[2]])
    x = tf.nn.conv2d_transpose(y, kernel, shape, 2, "SAME")
    return tf.ensure_shape(x, [y.shape[0], *(2 * side for side in y.shape[1:3]), kernel.shape[2]])


def _subpixel(y, kernel):
    channels, inputs = kernel.shape[2:]
    # Row 2i + p of the image meets row i + 1 - b of y through kernel row 2b + p - 1; a row of zeros stands for row -1.
    blocks = tf.reshape(tf.pad(kernel, [[1, 0], [1, 0], [0, 0], [0, 0]]), [3, 2, 3, 2, channels, inputs])
    blocks = tf.reshape(tf.transpose(blocks[::-1, :, ::-1], [0, 2, 5, 1, 3, 4]), [3, 3, inputs, 4 * channels])
    return tf.nn.depth_to_space(tf.nn.conv2d(y, blocks, 1, "SAME"), 2)


def _kernel_gradient(x, y):
    if _on_cpu() and x.dtype == tf.bfloat16:
        return _dilated(x, y)
    return tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=[_SIZE, _SIZE, x.shape[3], y.shape[3]],
                                           out_backprop=y, strides=[1, 2, 2, 1], padding="SAME")


def _dilated(x, y):
    # oneDNN takes the channels, here the batch, in pairs. Of an odd number, of 63 for one, its result holds whatever
    # lay in memory beside them (CPUs with avx512_bf16), so zeros make the number even.
    odd = tf.shape(x)[0] % 2
    padded, y = tf.pad(x, [[0, odd], [1, 2], [1, 2], [0, 0]]), tf.pad(y, [[0, odd], [0, 0], [0, 0], [0, 0]])
    gradient = tf.nn.conv2d(tf.transpose(padded, [3, 1, 2, 0]), tf.transpose(y, [1, 2, 0, 3]), 1, "VALID",
                            dilations=2)
    return tf.transpose(gradient, [1, 2, 0, 3])


class StridedConv(keras.layers.Conv2D):
    """Keras' 5x5 convolution of stride 2, computed by `convolve`."""

    def convolution_op(self, inputs, kernel):
        return convolve(inputs, tf.convert_to_tensor(kernel))


class StridedConvTranspose(keras.layers.Conv2DTranspose):
    """Keras' 5x5 transposed convolution of stride 2, computed by `transpose`."""

    def call(self, inputs):
        outputs = transpose(inputs, tf.convert_to_tensor(self.kernel))
        return tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
