"""The normalisations in mixed precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib.ops import norm, slim
from lvae import norms


class _Around(keras.layers.Layer):
    """A layer that calls another, as the networks do: mixed precision reaches the inner one through it."""

    def __init__(self, inner, **options):
        super().__init__(dtype="mixed_bfloat16")
        self.inner, self.options = inner, options

    def call(self, x):
        return self.inner(x, **self.options)


@pytest.mark.parametrize("kind, options", [
    (norm.BatchStatisticsNorm, {}), (norm.LayerNorm, {}), (slim.BatchNorm, {"training": True}),
    (norms.BatchNorm, {"training": True}), (norms.LayerNorm, {})])
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
