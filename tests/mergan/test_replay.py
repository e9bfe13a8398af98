"""Replay: every old class, with its own label and statistics, weighted as the original weights it."""

import numpy as np
import pytest
import tensorflow as tf

from lib.mergan import replay
from lib.mergan.config import DATASETS, NOISE, Config
from lib.mergan.networks import Judgement, build_networks, copy_weights


def noise(classes, samples):
    return tf.random.stateless_normal([classes, samples, NOISE], [classes, samples])


@pytest.fixture(scope="module")
def networks():
    return build_networks(DATASETS["mnist"])


@pytest.mark.parametrize("old_classes, samples", [(1, 64), (3, 21), (5, 12), (6, 10), (7, 9), (9, 7)])
def test_old_classes_share_one_batch_on_small_images(old_classes, samples):
    assert Config("mnist", 1).replay_samples(old_classes) == samples
    assert Config("lsun", 1).replay_samples(old_classes) == 64


def test_class_i_is_generated_with_label_i_and_statistics_of_its_own(networks):
    latent = noise(3, 5)
    together = replay.generate_classes(networks.generator, latent)
    for label in range(3):
        alone = networks.generator(latent[label], tf.fill([5], label))
        np.testing.assert_allclose(together[5 * label:5 * label + 5], alone, atol=1e-5)


def test_alignment_of_equal_generators_is_zero():
    networks = build_networks(DATASETS["mnist"])
    copy_weights(networks.generator, networks.replay)
    assert np.all(replay.alignment_distances(networks.generator, networks.replay, noise(2, 4)) == 0)


def test_alignment_is_half_the_summed_square():
    """Two painters whose every pixel differs by a known amount, another one for each class."""
    def painter(offset):
        return lambda noise, labels, groups=1: offset * tf.cast(labels + 1, tf.float32)[:, None, None, None] * tf.ones(
            [1, 4, 4, 3])

    distances = replay.alignment_distances(painter(0.5), painter(0.25), noise(2, 5))
    # Class k: five images of 48 pixels, each a quarter of k + 1 apart.
    np.testing.assert_allclose(distances, [5 * 48 * 0.25**2 / 2, 5 * 48 * 0.5**2 / 2], rtol=1e-6)


@pytest.mark.parametrize("dataset, cost", [("mnist", 0.1 * (3 + 5) / 2), ("lsun", 0.1 * (3 + 5))])
def test_alignment_is_averaged_over_classes_on_small_images_only(dataset, cost):
    config = Config(dataset, 1, alignment_factor=0.1)
    assert float(replay.alignment_cost(config, tf.constant([3.0, 5.0]))) == pytest.approx(cost)


@pytest.mark.parametrize("dataset, divisor", [("mnist", 1), ("lsun", 2)])
def test_joint_replay_is_averaged_over_classes_on_large_images_only(dataset, divisor):
    costs = replay.ReplayCosts(*map(tf.constant, ([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0])))
    assert float(costs.critic_total(Config(dataset, 1))) == pytest.approx(10 / divisor)
    assert float(costs.generator_total(Config(dataset, 1))) == pytest.approx(26 / divisor)


def test_joint_replay_takes_remembered_images_for_real_and_each_class_by_itself():
    """Generators that paint their label's brightness, a critic that reads it."""
    def painter(offset):
        return lambda noise, labels, groups: tf.reshape(tf.cast(labels, tf.float32) + offset, [-1, 1, 1, 1])

    def critic(x):
        value = x[:, 0, 0, 0]
        return Judgement(value, tf.stack([-value, value], axis=1))

    costs = replay.joint_replay_costs(painter(0.25), painter(0.5), critic, noise(2, 3))
    np.testing.assert_allclose(costs.critic_wasserstein, [-0.25, -0.25], rtol=1e-6)
    np.testing.assert_allclose(costs.generator_wasserstein, [-0.25, -1.25], rtol=1e-6)
    # Cross-entropies of two classes at logit distance 2 v: log(1 + e^(2v)) for label 0, log(1 + e^(-2v)) for 1.
    np.testing.assert_allclose(costs.critic_classification, [np.log1p(np.e), np.log1p(np.exp(-3))], rtol=1e-5)
    np.testing.assert_allclose(costs.generator_classification,
                               [np.log1p(np.exp(0.5)), np.log1p(np.exp(-2.5))], rtol=1e-5)


def test_no_gradient_reaches_the_replay_generator(networks):
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(replay.alignment_distances(networks.generator, networks.replay, noise(2, 2)))
        costs = replay.joint_replay_costs(networks.generator, networks.replay, networks.critic, noise(2, 2))
        total = cost + tf.reduce_sum(tf.add_n(list(costs)))
    assert all(g is None for g in tape.gradient(total, networks.replay.trainable_variables))
