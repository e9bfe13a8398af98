"""Costs against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from memorygan import losses, memory
from memorygan.losses import DiscriminatorCosts, GeneratorCosts, Judgement
from memorygan.networks import build_networks
from tests.memorygan import tiny

P = np.array([0.2, 0.9, 0.5, 0.7])


def test_probabilities_are_judged_by_their_logarithms():
    judged = losses.judge_probabilities(tf.constant(P))
    np.testing.assert_allclose(judged.as_real, -np.log(P).mean(), rtol=1e-12)
    np.testing.assert_allclose(judged.as_fake, -np.log(1 - P).mean(), rtol=1e-12)
    np.testing.assert_allclose(judged.probability, P.mean(), rtol=1e-12)


def test_certain_probabilities_are_clipped_and_have_no_gradient():
    p = tf.constant([0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(p)
        judged = losses.judge_probabilities(p)
        total = judged.as_real + judged.as_fake
    np.testing.assert_allclose(judged.as_real, -(np.log(0.001) + np.log(0.999)) / 2, rtol=1e-5)
    np.testing.assert_array_equal(tape.gradient(total, p), [0.0, 0.0])


def test_logits_are_judged_as_their_probabilities_and_never_overflow():
    logits = np.log(P / (1 - P))[:, None]
    for ours, theirs in zip(losses.judge_logits(tf.constant(logits)), losses.judge_probabilities(tf.constant(P))):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.isfinite(losses.judge_logits(tf.constant([[1000.0], [-1000.0]]))).all()


@pytest.mark.parametrize("loss, of_discriminator, of_generator", [
    ("jsd", 1 + 4, -4), ("alternative", 1 + 4, 3), ("reverse_kl", 1 + 4, 3 - 4), ("updown", 0.25 - 0.75, -0.25)])
def test_the_four_losses(loss, of_discriminator, of_generator):
    config = tiny.config(loss=loss, lamb=0.5)
    real, fake = Judgement(1.0, 2.0, 0.75), Judgement(3.0, 4.0, 0.25)
    assert DiscriminatorCosts(real, fake, 10.0).total(config) == of_discriminator + 5.0
    assert GeneratorCosts(fake, 10.0).total(config) == of_generator + 5.0


def inputs(config):
    images = tf.random.stateless_uniform([8, 28, 28, 1], [1, 2])
    state = memory.initial_state(config.mem_size, config.key_dim)
    keys = tf.math.l2_normalize(tf.random.stateless_normal(state.keys.shape, [3, 4]), axis=1)
    state = state._replace(keys=keys, histogram=tf.ones([config.mem_size]))
    return state, images, tf.random.stateless_uniform([8, 2], [5, 6], -1.0, 1.0), tf.range(8)


def probabilities(state, queries, config) -> np.ndarray:
    """Of being real, by the memory: the mean value of the nearest slots, weighted by their posterior, in float64."""
    keys, values, _, histogram = (np.asarray(field, np.float64) for field in state)
    queries = np.asarray(queries, np.float64)
    similarities = queries / np.linalg.norm(queries, axis=1, keepdims=True) @ keys.T
    joint = (histogram + 1e-8) * np.exp(similarities - 1)
    nearest = np.argsort(-joint, axis=1)[:, :config.choose_k]
    weights = np.take_along_axis(joint, nearest, axis=1)
    return (weights * values[nearest]).sum(axis=1) / weights.sum(axis=1)


def test_generated_images_meet_the_memory_that_real_ones_leave():
    config = tiny.config()
    networks, (state, *batch) = build_networks(config), inputs(config)
    result = losses.discriminator_pass(config, networks, state, *batch)
    queries = networks.discriminator(networks.generator(
        losses.generator_input(config, state, *batch[1:]), training=True).values, training=True).values
    after_real = result.updates["real"].state
    np.testing.assert_allclose(result.costs.fake.probability, np.mean(probabilities(after_real, queries, config)),
                               rtol=1e-5)
    assert abs(np.mean(probabilities(state, queries, config)) - result.costs.fake.probability) > 1e-3
    # Two updates in one step: what neither of them wrote is two queries older.
    ages = result.updates["fake"].state.ages.numpy()
    assert set(ages) == {0.0, 1.0, 2.0}


def test_the_generators_pass_updates_with_generated_images_only():
    config = tiny.config()
    networks, (state, *batch) = build_networks(config), inputs(config)
    result = losses.generator_pass(config, networks, state, *batch)
    assert list(result.updates) == ["fake"]
    assert len(result.discriminator_moments) == 2


def test_without_slot_sampling_there_is_neither_key_nor_mutual_information():
    config = tiny.config(slot_sampling=False)
    networks, (state, *batch) = build_networks(config), inputs(config)
    assert losses.generator_input(config, state, *batch[1:]).shape == (8, config.z_dim)
    result = losses.discriminator_pass(config, networks, state, *batch)
    assert float(result.costs.mutual_information) == 0.0 and result.updates


def test_a_plain_gan_has_no_memory():
    config = tiny.config(model="GAN", discriminator="base_d")
    networks, (_, *batch) = build_networks(config), inputs(config)
    result = losses.discriminator_pass(config, networks, None, *batch)
    assert result.updates == {} and float(result.costs.mutual_information) == 0.0


def test_mutual_information_is_the_mean_squared_distance():
    queries, keys = tf.constant([[1.0, 2.0], [0.0, 0.0]]), tf.constant([[0.0, 0.0], [0.0, 2.0]])
    assert float(losses.mutual_information(queries, keys)) == (1 + 4 + 0 + 4) / 4
