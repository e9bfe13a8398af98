"""What the machine reaches in practice: one large convolution and one large matrix product."""

import math

import tensorflow as tf

from benchmarks.flops import operations
from benchmarks.timing import Case
from lib import device

DTYPES = {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16, "mixed_float16": tf.float16}
_IMAGES = (64, 32, 32, 128)
_KERNEL = (3, 3, 128, 128)
_SIDE = 2048
_LARGER_ON_GPU = 16  # there these sizes would be over too soon


def cases(precision: str) -> list[Case]:
    """Both, in the precision that the layers compute in."""
    factor = _LARGER_ON_GPU if tf.config.list_logical_devices("GPU") else 1
    images, rows = (_IMAGES[0] * factor, *_IMAGES[1:]), _SIDE * factor
    dtype = DTYPES[precision]
    convolve = _caller(lambda x, y: tf.nn.conv2d(x, y, 1, "SAME"), images, _KERNEL, dtype)
    multiply = _caller(tf.matmul, (rows, _SIDE), (_SIDE, _SIDE), dtype)
    return [Case({"system": "peak", "step": "convolution", "precision": precision}, convolve,
                 operations(math.prod(images[:3]) * math.prod(_KERNEL))),
            Case({"system": "peak", "step": "product", "precision": precision}, multiply,
                 operations(rows * _SIDE * _SIDE))]


def _caller(function, left, right, dtype):
    compiled = device.graph(function)
    x, y = (tf.cast(tf.random.stateless_normal(shape, [seed, 0]), dtype) for seed, shape in ((1, left), (2, right)))
    return lambda: compiled(x, y)
