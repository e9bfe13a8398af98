"""One iteration: who moves when, and that neither chunks nor resets nor the draw change what is computed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib import optimizers
from lib.mergan.config import Config
from lib.mergan.methods import acting, build_methods
from lib.mergan.networks import build_networks, copy_weights
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps, reported_quantities

CONFIG = Config("mnist", 10, replay_alignment=True, joint_replay=True, batch_size=8)


def batches(count, config=CONFIG, task=1):
    random = np.random.RandomState(count)
    images = random.randint(0, 256, [count, config.critic_steps, config.batch_size, 32, 32, 1]).astype(np.uint8)
    return images, np.full(images.shape[:3], task, np.int32)


def start(config=CONFIG, task=1):
    networks = build_networks(config.data, replay=not config.joint)
    if networks.replay is not None:
        copy_weights(networks.generator, networks.replay)
    optimizers_ = build_optimizers(config, networks)
    return networks, optimizers_, make_steps(config, networks, optimizers_, task)


def weights(model):
    return [variable.numpy() for variable in model.variables]


def moved(before, model):
    return any(not np.array_equal(a, b) for a, b in zip(before, weights(model)))


def test_who_moves_when():
    """The generator rests in iteration 0; the critic moves in every one; the replay generator never."""
    networks, _, steps = start()
    images, labels = batches(1)
    for first, generator_moves in [(0, False), (1, True), (2, True)]:
        before = [weights(network) for network in networks[:3]]
        steps.iterate(images, labels, first)
        assert moved(before[0], networks.generator) == generator_moves
        assert moved(before[1], networks.critic)
        assert not moved(before[2], networks.replay)


def test_moving_statistics_are_never_touched():
    networks, _, steps = start()
    steps.iterate(*batches(3), 0)
    for norm in (networks.generator.norm1, networks.generator.norm2, networks.generator.norm3):
        assert np.all(norm.moving_mean == 0) and np.all(norm.moving_variance == 1)


def test_optimisers_step_five_to_one():
    _, optimizers_, steps = start()
    steps.iterate(*batches(3), 0)
    assert int(optimizers_.critic.iterations) == 15 and int(optimizers_.generator.iterations) == 2


@pytest.mark.parametrize("config", [CONFIG, Config("mnist", 10, joint=True, batch_size=8)])
def test_chunks_do_not_matter(config):
    images, labels = batches(4, config)
    whole, _, steps = start(config, task=0 if config.joint else 1)
    at_once = steps.iterate(images, labels, 0)
    parts, _, steps = start(config, task=0 if config.joint else 1)
    first, second = steps.iterate(images[:1], labels[:1], 0), steps.iterate(images[1:], labels[1:], 1)
    for network in ("generator", "critic"):
        for a, b in zip(weights(getattr(whole, network)), weights(getattr(parts, network))):
            np.testing.assert_allclose(a, b, atol=1e-6)
    for name, values in at_once.items():
        np.testing.assert_allclose(values, np.concatenate([first[name], second[name]]), rtol=1e-4)


def test_first_generator_step_of_a_task_has_nothing_to_align():
    _, _, steps = start()
    values = steps.iterate(*batches(3), 0)
    assert "RA-cost" in steps.of_generator and values["RA-cost"][1] == 0 and values["RA-cost"][2] > 0


@pytest.mark.parametrize("config, task, names", [
    (Config("mnist", 1), 0, {"g-cost", "d-cost", "wgan-pure", "penalty"}),
    (Config("mnist", 1, replay_alignment=True), 0, {"g-cost", "d-cost", "wgan-pure", "penalty"}),
    (Config("mnist", 1, replay_alignment=True), 2, {"g-cost", "d-cost", "wgan-pure", "penalty", "RA-cost"}),
    (Config("mnist", 1, joint_replay=True), 2,
     {"g-cost", "d-cost", "wgan-pure", "penalty", "JTR_gen_cost", "JTR_disc_cost"}),
    (Config("mnist", 1, joint=True), 0, {"g-cost", "d-cost", "wgan-pure", "penalty", "acgan-fake", "acgan-real",
                                         "wgan", "real_acc", "fake_acc"}),
])
def test_reported_quantities_are_those_of_the_original(config, task, names):
    assert set(reported_quantities(config, acting(build_methods(config, None), task), task)) == names


def test_noise_is_new_in_every_step_and_known_in_advance():
    first, second = draw_critic_noise(CONFIG, 2, 5, 0), draw_critic_noise(CONFIG, 2, 5, 1)
    for a, b in ((first.latent, second.latent), (first.alpha, second.alpha), *zip(first.methods.values(),
                                                                                  second.methods.values())):
        assert not np.array_equal(a, b)
    again = tf.function(lambda step: draw_critic_noise(CONFIG, 2, 5, step))(tf.constant(1))
    for a, b in zip(tf.nest.flatten(second), tf.nest.flatten(again)):
        np.testing.assert_array_equal(a, b)
    generator = draw_generator_noise(CONFIG, 2, 5)
    alignment, replay = (generator.methods[name] for name in ("alignment", "replay"))
    assert alignment.shape == replay.shape == (2, 4, 128)
    assert not np.array_equal(alignment, replay)


def test_interpolation_weights_fill_the_unit_interval():
    alpha = np.concatenate([draw_critic_noise(CONFIG, 0, 0, step).alpha for step in range(200)])
    assert 0 <= alpha.min() < 0.02 and 0.98 < alpha.max() <= 1


def test_reset_forgets_moments_and_steps_but_not_the_rate():
    _, optimizers_, steps = start()
    steps.iterate(*batches(2), 0)
    optimizer = optimizers_.critic
    assert any(np.any(variable != 0) for variable in optimizer.variables[2:])
    optimizers.reset(optimizer)
    assert all(np.all(variable == 0) for variable in optimizer.variables if variable.name != "learning_rate")
    assert float(optimizer.learning_rate) == pytest.approx(1e-4)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_follows_float32(precision):
    """Same noise, same weights: after three iterations costs agree to a few percent and weights stay float32."""
    def costs(precision):
        config = Config("mnist", 10, replay_alignment=True, joint_replay=True, batch_size=8, precision=precision)
        networks = build_networks(config.data, dtype=precision)
        copy_weights(networks.generator, networks.replay)
        steps = make_steps(config, networks, build_optimizers(config, networks), 1)
        values = steps.iterate(*batches(3), 0)
        assert all(variable.dtype == "float32" for variable in networks.critic.variables)
        return values

    full, mixed = costs("float32"), costs(precision)
    for name in ("d-cost", "wgan-pure", "penalty", "JTR_disc_cost"):
        np.testing.assert_allclose(mixed[name], full[name], rtol=0.1, atol=0.1)


def test_xla_gives_the_same_numbers():
    """Iteration 0 moves the critic, iteration 1 both; weights agree but for what Adam makes of rounding."""
    config = Config("mnist", 10, replay_alignment=True, joint_replay=True, batch_size=8, critic_steps=1)
    runs = []
    for jit in (False, True):
        networks = build_networks(config.data)
        copy_weights(networks.generator, networks.replay)
        steps = make_steps(config, networks, build_optimizers(config, networks), 1, jit=jit)
        runs.append((steps.iterate(*batches(2, config), 0), networks))
    (plain, plain_networks), (compiled, compiled_networks) = runs
    for name, values in plain.items():
        np.testing.assert_allclose(compiled[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    for network in ("generator", "critic"):
        differences = np.concatenate([np.abs(a - b).ravel() for a, b in zip(
            weights(getattr(plain_networks, network)), weights(getattr(compiled_networks, network)))])
        assert np.median(differences) < 1e-7 and differences.max() < 5e-4


def test_float16_scales_its_costs_and_skips_an_overflow():
    variable = keras.Variable(tf.ones([2]))
    optimizer = optimizers.adam(0.1, 0.0, 0.9, [variable], "mixed_float16")
    scale = float(optimizer.scale_loss(1.0))
    assert scale > 1
    optimizer.apply([tf.constant([float("inf"), 0.0])], [variable])
    assert np.array_equal(variable, [1, 1]) and float(optimizer.scale_loss(1.0)) < scale
    optimizer.apply([tf.constant([1.0, 0.0]) * optimizer.scale_loss(1.0)], [variable])
    np.testing.assert_allclose(variable, [0.9, 1], rtol=1e-3)  # Adam's first step is the learning rate


def test_the_first_generator_step_moves_no_weight_further_than_the_learning_rate():
    """Also not the class tables, whose gradient comes as one row per sample: Adam must square the rows' sum."""
    networks, _, steps = start(Config("mnist", 10, batch_size=64))
    before = [variable.numpy() for variable in networks.generator.trainable_variables]
    random = np.random.RandomState(0)
    images = random.randint(0, 256, [2, 5, 64, 32, 32, 1]).astype(np.uint8)
    steps.iterate(images, np.ones([2, 5, 64], np.int32), 0)
    for old, variable in zip(before, networks.generator.trainable_variables):
        furthest = np.abs(variable - old).max()
        assert 0 < furthest <= 1.01e-4, variable.path
