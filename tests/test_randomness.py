"""Streams are functions of their key alone, and different keys give different numbers."""

import itertools

import numpy as np
import tensorflow as tf

from lib import randomness


def test_same_key_same_numbers_inside_and_outside_a_graph():
    inside = tf.function(lambda step: randomness.key(7, "noise", 3, step))(tf.constant(5))
    assert np.array_equal(inside, randomness.key(7, "noise", 3, 5))


def test_seed_stream_and_every_counter_matter():
    keys = [tuple(randomness.key(*parts).numpy()) for parts in
            itertools.product([0, 1], ["a", "b"], [0, 1], [0, 1])]
    assert len(set(keys)) == 16


def test_counters_are_ordered():
    assert not np.array_equal(randomness.key(0, "a", 1, 2), randomness.key(0, "a", 2, 1))


def test_noise_is_standard_normal():
    draws = [tf.random.stateless_normal([64, 128], randomness.key(0, "noise", 0, step)) for step in range(20)]
    values = np.concatenate(draws)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 1) < 0.01


def test_host_generator_repeats_itself():
    first, second = (randomness.host_generator(1, "order", 4).permutation(50) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, randomness.host_generator(1, "order", 5).permutation(50))
