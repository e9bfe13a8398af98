"""K iterations in one graph, against a loop in Python."""

import numpy as np
import pytest
import tensorflow as tf

from lib.run.repeat import advancing, repeat

IMAGES = np.arange(24, dtype=np.float32).reshape(8, 3)
LABELS = np.arange(8, dtype=np.int32)


@pytest.fixture
def iterate():
    total = tf.Variable(0.0)

    def iteration(images, label, number):
        total.assign_add(tf.reduce_sum(images))
        return {"total": total.value(), "label": tf.cast(label, tf.float64), "number": number, "unused": 1.0}

    return repeat(iteration, ("total", "label", "number"), tf.TensorSpec([3], tf.float32), tf.TensorSpec([], tf.int32))


def test_every_iteration_gets_its_batch_and_its_number_and_sees_the_one_before(iterate):
    history = iterate(tf.constant(IMAGES), tf.constant(LABELS), tf.constant(100))
    assert history.keys() == {"total", "label", "number"}
    assert history["total"].numpy().tolist() == np.cumsum(IMAGES.sum(axis=1)).tolist()
    assert history["label"].numpy().tolist() == list(range(8))
    assert history["number"].numpy().tolist() == list(range(100, 108))
    assert all(values.dtype == tf.float32 for values in history.values())


@pytest.mark.parametrize("at_once", [None, 1, 3, 8, 50])
def test_advancing_is_the_same_in_parts(iterate, at_once):
    def take(first, count):
        return IMAGES[first:first + count], LABELS[first:first + count]

    advance = advancing(iterate, take, at_once=at_once)
    first, rest = advance(0, 2), advance(2, 6)
    assert first["number"] | rest["number"] == {number: float(number) for number in range(8)}
    assert rest["total"][7] == IMAGES.sum()
