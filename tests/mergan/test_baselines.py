"""EWC's penalty and Fisher information, DGR's mixture and labels, against closed forms."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from lib import randomness
from lib.mergan import baselines
from lib.mergan.config import NOISE, Config
from lib.mergan.methods import Consolidation
from lib.mergan.networks import Judgement, build_networks, copy_weights
from lib.mergan.step import build_optimizers, make_steps

EWC = Config("mnist", 3, consolidation=True, consolidation_factor=10.0, fisher_batches=2, fisher_samples=2,
             batch_size=8, critic_steps=1)
BY_BATCH = dataclasses.replace(EWC, fisher="batches")
DGR = Config("mnist", 3, generative_replay=True, batch_size=8, critic_steps=1)


def batches(task, count=2):
    images = np.random.RandomState(0).randint(0, 256, [count, 1, 8, 32, 32, 1]).astype(np.uint8)
    return images, np.full([count, 1, 8], task, np.int32)


def test_consolidation_is_half_the_weighted_square():
    networks = build_networks(EWC.data)
    copy_weights(networks.generator, networks.replay)
    fisher = [tf.fill(variable.shape, 0.5) for variable in networks.generator.trainable_variables]
    assert float(baselines.consolidation_cost(EWC, networks.generator, networks.replay, fisher)) == 0
    bias = networks.generator.conv5.bias
    bias.assign_add([3.0])
    cost = baselines.consolidation_cost(EWC, networks.generator, networks.replay, fisher)
    assert float(cost) == pytest.approx(10 / 2 * 0.5 * 3.0**2, rel=1e-5)


def test_it_is_averaged_over_a_tensor_or_summed():
    networks = build_networks(EWC.data)
    copy_weights(networks.generator, networks.replay)
    fisher = [tf.fill(variable.shape, 0.5) for variable in networks.generator.trainable_variables]
    kernel = networks.generator.conv5.kernel
    kernel.assign_add(tf.fill(kernel.shape, 3.0))
    one = 10 / 2 * 0.5 * 3.0**2
    costs = {config.fisher: float(baselines.consolidation_cost(config, networks.generator, networks.replay, fisher))
             for config in (EWC, BY_BATCH)}
    assert costs == pytest.approx({"samples": one, "batches": one * np.prod(kernel.shape)}, rel=1e-4)


@pytest.mark.full
def test_the_fisher_information_of_samples_is_the_mean_square_of_their_scores_gradients():
    networks = build_networks(EWC.data)
    method = Consolidation(EWC, networks)
    method.remember(0)
    noise = tf.random.stateless_normal([8, NOISE], randomness.key(EWC.seed, "fisher", 0, 0))
    table = networks.generator.norm1.offset
    squares = []
    for index in range(EWC.fisher_samples):
        with tf.GradientTape() as tape:
            score = networks.critic(networks.generator(noise, tf.zeros([8], tf.int32))).score[index]
        squares.append(np.square(tf.convert_to_tensor(tape.gradient(score, table.value))))
    index = [variable.path for variable in networks.generator.trainable_variables].index(table.path)
    np.testing.assert_allclose(method.fisher[index], np.mean(squares, axis=0), rtol=1e-3, atol=1e-12)


@pytest.mark.full
@pytest.mark.parametrize("fisher_of", ["last", "all"])
@pytest.mark.parametrize("config", [EWC, BY_BATCH], ids=["samples", "batches"])
def test_fisher_is_that_of_the_class_learned_last_or_adds_up(config, fisher_of):
    config = dataclasses.replace(config, fisher_of=fisher_of)
    networks = build_networks(config.data)
    method = Consolidation(config, networks)
    fisher = method.fisher
    method.remember(0)
    index = [v.path for v in networks.generator.trainable_variables].index(networks.generator.conv5.bias.path)
    once = float(fisher[index][0])
    assert once > 0
    # Rows of classes that were not generated have no gradient.
    table = [v.path for v in networks.generator.trainable_variables].index(networks.generator.norm1.scale.path)
    assert np.any(fisher[table][0] > 0) and np.all(fisher[table][1:] == 0)
    method.remember(1)
    assert np.any(fisher[table][1] > 0) and np.all(fisher[table][2:] == 0)
    if fisher_of == "all":
        assert float(fisher[index][0]) > once and np.any(fisher[table][0] > 0)
    else:
        fresh = Consolidation(config, networks)
        fresh.remember(1)
        assert np.all(fisher[table][0] == 0)
        np.testing.assert_array_equal(fisher[index], fresh.fisher[index])


@pytest.mark.full
def test_a_strong_consolidation_holds_the_generator():
    def drift(factor):
        config = Config("mnist", 3, consolidation=True, consolidation_factor=factor, batch_size=8, critic_steps=1)
        networks = build_networks(config.data)
        copy_weights(networks.generator, networks.replay)
        method = Consolidation(config, networks)
        for weight in method.fisher:
            weight.assign(tf.ones(weight.shape))
        steps = make_steps(config, networks, build_optimizers(config, networks), 1, [method])
        values = steps.iterate(*batches(1, 6), 1, 0)
        return float(values["EWC-cost"][-1]), sum(
            float(tf.reduce_sum(tf.abs(a.value - b.value))) for a, b in
            zip(networks.generator.trainable_variables, networks.replay.trainable_variables))

    cost, free = drift(0.0)
    held_cost, held = drift(1e9)
    assert cost == 0 and held_cost > 0 and held < 0.7 * free


@pytest.mark.parametrize("task, new", [(0, 64), (1, 32), (2, 21), (4, 13), (9, 6)])
def test_the_new_class_has_its_share_of_a_batch(task, new):
    assert baselines.new_samples(Config("mnist", 1, generative_replay=True), task) == new


def test_mixture_and_its_labels():
    def replay(noise, labels):
        return tf.ones([noise.shape[0], 2, 2, 1])

    def replay_solver(images):
        """Would say class 7, which the old solver cannot know; its best known class is 1."""
        return Judgement(None, tf.one_hot([7] * images.shape[0], 10) * 9 + tf.one_hot([1] * images.shape[0], 10))

    mixture = baselines.mix_with_replay(replay, tf.zeros([8, 2, 2, 1]), tf.zeros([5, NOISE]))
    assert mixture[:, 0, 0, 0].numpy().tolist() == [0] * 3 + [1] * 5
    assert baselines.mixed_labels(replay_solver, mixture, tf.zeros([5, NOISE]), 2).numpy().tolist() == [2] * 3 + [1] * 5
    assert baselines.mixed_labels(replay_solver, mixture, tf.zeros([0, NOISE]), 0).numpy().tolist() == [0] * 8


@pytest.mark.full
def test_generative_replay_trains_generator_critic_and_solver_without_classes():
    networks = build_networks(DGR.data, solver=True)
    optimizers = build_optimizers(DGR, networks)
    before = [[v.numpy() for v in network.variables] for network in networks]
    values = make_steps(DGR, networks, optimizers, 1).iterate(*batches(1, 3), 1, 0)
    moved = [any(not np.array_equal(a, b) for a, b in zip(old, network.variables))
             for old, network in zip(before, networks)]
    assert moved == [True, True, False, True, False]
    assert np.all(np.isfinite(values["solver-cost"]))
    # Unconditional: only row 0 of the label tables and nothing of the class head.
    rows = networks.generator.norm1.offset.numpy()
    assert np.any(rows[0] != 0) and np.all(rows[1:] == 0)
    assert np.array_equal(networks.critic.logits.kernel, before[1][-2])
