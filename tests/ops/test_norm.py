"""The normalisations in mixed precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib.ops import norm


class _Around(keras.layers.Layer):
    """A layer that calls another, as the networks do: mixed precision reaches the inner one through it."""

    def __init__(self, inner, **options):
        super().__init__(dtype="mixed_bfloat16")
        self.inner, self.options = inner, options

    def call(self, x):
        return self.inner(x, **self.options)


@pytest.mark.parametrize("kind, options", [
    (norm.BatchStatisticsNorm, {}), (norm.LayerNorm, {}), (norm.BatchNorm, {"training": True})])
def test_tables_keep_digits_that_bfloat16_has_not(kind, options):
    layer = kind(dtype="mixed_bfloat16", name="norm")
    outer = _Around(layer, **options)
    x = tf.random.stateless_normal([64, 4, 4, 2], [1, 2])
    outer(x)
    seen = []
    original = layer.call

    def call(*arguments, **named):
        seen.extend(tf.convert_to_tensor(variable) for variable in layer.trainable_variables)
        return original(*arguments, **named)

    layer.call = call
    for variable in layer.trainable_variables:
        variable.assign(np.full(variable.shape, 1.003))
    outer(x)
    assert len(seen) == len(layer.trainable_variables) > 0
    for table in seen:
        assert table.dtype == tf.float32
        np.testing.assert_allclose(table, 1.003, rtol=1e-6)


def test_a_batch_norm_normalises_by_the_batch_and_remembers_its_unbiased_variance():
    layer = norm.BatchNorm(name="norm")
    x = np.random.RandomState(0).normal(3.0, 2.0, (6, 2, 2, 3)).astype(np.float32)
    wide = x.reshape(-1, 3).astype(np.float64)
    layer(x, training=False)
    layer.scale.assign([1.0, 2.0, 3.0])
    layer.offset.assign([0.5, 0.0, -0.5])
    normalised, moments = layer(x, training=True)
    wanted = (wide - wide.mean(axis=0)) / np.sqrt(wide.var(axis=0) + 1e-3) * [1.0, 2.0, 3.0] + [0.5, 0.0, -0.5]
    np.testing.assert_allclose(normalised.numpy().reshape(-1, 3), wanted, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))  # until it is told
    layer.update(moments)
    np.testing.assert_allclose(layer.moving_mean, 0.001 * wide.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.999 + 0.001 * wide.var(axis=0, ddof=1), rtol=1e-6)
    remembered, nothing = layer(x, training=False)
    wanted = (wide - layer.moving_mean) / np.sqrt(layer.moving_variance + 1e-3) * [1.0, 2.0, 3.0] + [0.5, 0.0, -0.5]
    np.testing.assert_allclose(remembered.numpy().reshape(-1, 3), wanted, rtol=1e-5, atol=1e-5)
    assert nothing is None


def test_one_sample_leaves_no_variance_and_no_nan():
    layer = norm.BatchNorm(scaled=False, name="norm")
    _, moments = layer(np.ones((1, 4), np.float32), training=True)
    np.testing.assert_array_equal(moments.variance, np.zeros(4))
    assert [variable.name for variable in layer.trainable_variables] == ["offset"]
