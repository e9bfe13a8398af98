"""Adam and its reset, alone and inside a loss scaling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib import optimizers


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_reset_optimiser_moves_as_a_new_one(precision):
    weights = [keras.Variable(np.float32([1.0, -2.0])) for _ in range(2)]
    used, new = (optimizers.adam(1e-2, 0.5, 0.9, [weight], precision) for weight in weights)

    def step(optimizer, weight):
        gradient = 2 * weight.value
        optimizer.apply([optimizer.scale_loss(gradient) if precision == "mixed_float16" else gradient], [weight])

    for _ in range(3):
        step(used, weights[0])
    optimizers.reset(used)
    weights[0].assign(weights[1])
    step(used, weights[0])
    step(new, weights[1])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], np.float32([1.0, -2.0]))


def test_a_function_may_begin_with_the_update():
    """Its name must do as the outermost one of a graph."""
    weight = keras.Variable(np.float32([1.0, -2.0]))
    optimizer = optimizers.adam(1e-2, 0.0, 0.9, [weight])
    tf.function(lambda: optimizer.apply([tf.ones([2])], [weight]))()
    np.testing.assert_allclose(weight, [0.99, -2.01], rtol=1e-6)


def test_epsilon_is_that_of_tf1():
    """The first update is rate * g / (|g| + epsilon / sqrt(1 - beta_2)): a half where both are as small."""
    weight = keras.Variable(np.float32([0.0]))
    optimizers.adam(1e-2, 0.0, 0.9, [weight]).apply([tf.constant([1e-8 / np.sqrt(0.1)], tf.float32)], [weight])
    np.testing.assert_allclose(weight, [-0.5e-2], rtol=1e-5)
