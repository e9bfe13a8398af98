"""The strided convolutions against TensorFlow's own, with derivatives of first and second order."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib.ops import strided


def _random(seed, *shape, dtype=tf.float64):
    return tf.cast(tf.random.stateless_normal(shape, [seed, 0], dtype=tf.float64), dtype)


def _plain_convolve(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _plain_transpose(y, kernel, sides=None):
    n, height, width, _ = y.shape
    return tf.nn.conv2d_transpose(y, kernel, [n, *(sides or (2 * height, 2 * width)), kernel.shape[2]], 2, "SAME")


def _derivatives(function, inputs, kernel, direction):
    """The output, its derivatives by both arguments, and those of the squared slope by both: a gradient penalty's."""
    with tf.GradientTape() as outer:
        outer.watch([inputs, kernel])
        with tf.GradientTape() as inner:
            inner.watch([inputs, kernel])
            output = function(inputs, kernel)
            total = tf.reduce_sum(direction * tf.square(output))
        slopes = inner.gradient(total, [inputs, kernel])
        penalty = sum(tf.reduce_sum(tf.square(slope)) for slope in slopes)
    return [output, *slopes, *outer.gradient(penalty, [inputs, kernel])]


def _transpose_onto_odd_sides(y, kernel):
    return strided.transpose(y, kernel, (7, 11))


def _plain_transpose_onto_odd_sides(y, kernel):
    return _plain_transpose(y, kernel, (7, 11))


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("size", [4, 5])
@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("ours, plain, inputs, outputs", [
    (strided.convolve, _plain_convolve, (8, 12), (4, 6)), (strided.convolve, _plain_convolve, (7, 11), (4, 6)),
    (strided.transpose, _plain_transpose, (4, 6), (8, 12)),
    (_transpose_onto_odd_sides, _plain_transpose_onto_odd_sides, (4, 6), (7, 11))])
def test_values_and_derivatives_are_those_of_the_plain_convolution(ours, plain, inputs, outputs, channels, size,
                                                                   in_graph):
    features = 7
    depths = (channels, features) if ours is strided.convolve else (features, channels)
    x, kernel = _random(1, 2, *inputs, depths[0]), _random(2, size, size, channels, features)
    direction = _random(3, 2, *outputs, depths[1])
    derivatives = tf.function(_derivatives) if in_graph else _derivatives
    for got, expected in zip(derivatives(ours, x, kernel, direction), _derivatives(plain, x, kernel, direction)):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("has_units", [False, True])
@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("size, sides", [(5, (8, 12)), (4, (8, 12)), (4, (7, 11))])
def test_bfloat16_stays_within_its_rounding_of_float64(monkeypatch, size, sides, channels, has_units):
    monkeypatch.setattr(strided, "_cpu_has_bfloat16", lambda: has_units)
    x, y, kernel = (tf.cast(value, tf.bfloat16) for value in (
        _random(1, 2, *sides, channels), _random(2, 2, 4, 6, 7), _random(3, size, size, channels, 7)))
    roughly = [strided.convolve(x, kernel), strided.transpose(y, kernel, sides), strided.kernel_gradient(x, y, size)]
    x, y, kernel = (tf.cast(value, tf.float64) for value in (x, y, kernel))
    exact = [_plain_convolve(x, kernel), _plain_transpose(y, kernel, sides), strided.kernel_gradient(x, y, size)]
    for rough, right in zip(roughly, exact):
        assert rough.dtype == tf.bfloat16
        error = np.abs(tf.cast(rough, tf.float64) - right)
        assert 0 < error.max() / np.abs(right).max() < 0.02
        if not has_units:  # one rounding, at the end
            np.testing.assert_array_less(error, 2**-8 * np.abs(right) + 1e-5)


@pytest.mark.parametrize("images", [64, 63, 61, 1])
@pytest.mark.parametrize("channels", [1, 3])
def test_bfloat16_kernel_gradients_of_any_number_of_images(monkeypatch, channels, images):
    """Replays come in batches of 64 // t * t. oneDNN once took in what lay behind an odd number: NaN, to see it."""
    monkeypatch.setattr(strided, "_cpu_has_bfloat16", lambda: True)
    x, y = (tf.cast(_random(seed, *shape), tf.bfloat16) for seed, shape in (
        (1, (images, 32, 32, channels)), (2, (images, 16, 16, 32))))
    exact = strided.kernel_gradient(tf.cast(x, tf.float64), tf.cast(y, tf.float64), 5)
    for _ in range(3):
        for size in (images, 1000, images * 1000):  # freed at once, for the next one to find
            tf.fill([size], float("nan"))
        error = np.abs(tf.cast(strided.kernel_gradient(x, y, 5), tf.float64) - exact)
        assert error.max() / np.abs(exact).max() < 0.02


@pytest.mark.parametrize("flags, has_units", [("fma avx2", False), ("avx512_bf16 fma", True), ("amx_bf16", True),
                                              ("asimd bf16\nasimd bf16", True), ("mybf16x", False), (None, False)])
def test_units_are_recognised_by_the_processors_flags(monkeypatch, tmp_path, flags, has_units):
    path = tmp_path / "cpuinfo"
    if flags is not None:
        path.write_text(f"processor: 0\nflags: fpu {flags}\n")
    monkeypatch.setattr(strided, "_CPU", path)
    assert strided._cpu_has_bfloat16.__wrapped__() == has_units


def test_an_unknown_batch_size_passes():
    signature = [tf.TensorSpec([None, 4, 6, 7]), tf.TensorSpec([5, 5, 9, 7])]
    transpose = tf.function(strided.transpose, input_signature=signature)
    assert transpose(tf.zeros([3, 4, 6, 7]), tf.zeros([5, 5, 9, 7])).shape == (3, 8, 12, 9)


@pytest.mark.parametrize("size, side", [(4, 4), (5, 5), (4, 8), (4, 6)])
def test_a_convolution_of_a_whole_map_is_keras_own(size, side):
    """And so is one of a larger map, whose padding it leaves to Keras."""
    layers = [kind(3, size, size, padding="same") for kind in (strided.convolution(size, size), keras.layers.Conv2D)]
    x = _random(1, 2, side, side, 6, dtype=tf.float32)
    for layer in layers:
        layer.build(x.shape)
    layers[1].set_weights(layers[0].get_weights())
    np.testing.assert_allclose(*(layer(x) for layer in layers), rtol=1e-5, atol=1e-5)
