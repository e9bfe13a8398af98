"""Costs against closed forms. The golden figures check them number by number; here is what they mean."""

import numpy as np
import pytest
import tensorflow as tf

from lib import losses
from lib.mergan import losses as mergan_losses
from lib.mergan.config import DATASETS, NOISE, Config
from lib.mergan.networks import Judgement, build_networks


def images(*shape, seed=0):
    return tf.random.stateless_uniform(shape, [seed, 1], -1, 1, dtype=tf.float64)


@pytest.mark.parametrize("length", [0.0, 0.3, 1.0, 2.5])
def test_penalty_of_a_linear_critic_is_known(length):
    slope = images(4, 4, 1, seed=3)
    slope *= length / tf.norm(slope)
    penalty = losses.gradient_penalty(lambda x: tf.reduce_sum(x * slope, axis=[1, 2, 3]), images(5, 4, 4, 1))
    assert float(penalty) == pytest.approx((length - 1) ** 2)


def test_penalty_of_a_quadratic_critic_is_the_mean_over_samples():
    points = images(5, 4, 4, 2)
    penalty = losses.gradient_penalty(lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2, points)
    lengths = np.sqrt(np.sum(np.square(points), axis=(1, 2, 3)))
    assert float(penalty) == pytest.approx(np.mean((lengths - 1) ** 2))


def test_interpolation_ends_and_middle():
    real, fake = images(3, 2, 2, 1, seed=1), images(3, 2, 2, 1, seed=2)
    mixed = losses.interpolate(real, fake, tf.constant([[0.0], [1.0], [0.5]], tf.float64))
    np.testing.assert_allclose(mixed[0], real[0])
    np.testing.assert_allclose(mixed[1], fake[1])
    np.testing.assert_allclose(mixed[2], (real[2] + fake[2]) / 2)


def test_cross_entropy_and_accuracy():
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]))
    assert float(losses.cross_entropy(logits, tf.constant([0, 1]))) == pytest.approx(
        -(np.log(0.7) + np.log(0.1)) / 2)
    assert float(losses.accuracy(tf.constant(logits), tf.constant([0, 1]))) == 0.5


def brightness_critic(x):
    """Scores an image by its mean; its logits prefer class 0 by that score."""
    score = tf.reduce_mean(x, axis=[1, 2, 3])
    return Judgement(score, tf.stack([score, tf.zeros_like(score)], axis=1))


def constant_generator(noise, labels):
    return tf.ones([noise.shape[0], 2, 2, 1], tf.float64) * 0.5


def test_terms_have_their_signs_and_sides():
    real, labels = -tf.ones([4, 2, 2, 1], tf.float64), tf.zeros([4], tf.int32)
    noise, alpha = tf.zeros([4, NOISE], tf.float64), tf.fill([4, 1], tf.constant(0.5, tf.float64))
    critic = mergan_losses.critic_costs(constant_generator, brightness_critic, real, labels, noise, alpha)
    assert float(critic.wasserstein) == pytest.approx(0.5 - -1.0)
    assert float(critic.penalty) == pytest.approx((0.5 - 1) ** 2)  # four pixels of slope 1/4: length 1/2
    assert float(critic.classification) == pytest.approx(np.log1p(np.exp(1.0)))  # of the real images only
    config = Config("mnist", 1)
    assert float(critic.total(config)) == pytest.approx(1.5 + 10 * 0.25 + np.log1p(np.exp(1.0)))
    generator = mergan_losses.generator_costs(constant_generator, brightness_critic, labels, noise)
    assert float(generator.wasserstein) == pytest.approx(-0.5)
    assert float(generator.classification) == pytest.approx(np.log1p(np.exp(-0.5)))


def test_the_critics_cost_does_not_move_the_generator():
    networks = build_networks(DATASETS["mnist"], replay=False)
    batch = tf.random.stateless_uniform([4, 32, 32, 1], [0, 1], -1, 1)
    labels, noise = tf.zeros([4], tf.int32), tf.random.stateless_normal([4, NOISE], [0, 2])
    with tf.GradientTape() as tape:
        costs = mergan_losses.critic_costs(networks.generator, networks.critic, batch, labels, noise,
                                           tf.fill([4, 1], 0.5))
        total = costs.total(Config("mnist", 1))
    assert all(gradient is None for gradient in tape.gradient(total, networks.generator.trainable_variables))
