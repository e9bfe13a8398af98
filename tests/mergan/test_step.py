"""One iteration: who moves when, and that neither chunks nor resets nor the draw change what is computed."""

import dataclasses
import functools
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib import optimizers
from lib.mergan import replay
from lib.mergan.config import Config
from lib.mergan.methods import acting, build_methods
from lib.mergan.networks import build_networks, copy_weights, networks_of
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps, reported_quantities

CONFIG = Config("mnist", 10, replay_alignment=True, joint_replay=True, batch_size=8, critic_steps=2)
JOINT = Config("mnist", 10, joint=True, batch_size=8, critic_steps=2)


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


class Watched(NamedTuple):
    """Three iterations of a task, one by one, and then from the same start all at once."""

    states: list[dict]  # {network: its weights} before the first iteration and after each
    values: dict  # what was reported
    at_once: dict
    final: dict  # weights after all at once
    steps: tuple[int, int]  # of generator and critic
    statistics: list  # moving means and variances of the generator


def watch(config) -> Watched:
    """Both ways with the same graph: tracing it is what takes the time."""
    task = 0 if config.joint else 1
    networks, optimizers_, steps = start(config, task)
    built = {name: network for name, network in networks._asdict().items() if network is not None}
    images, labels = batches(3, config)

    def state():
        return {name: weights(network) for name, network in built.items()}

    states, values = [state()], []
    for k in range(3):
        values.append(steps.iterate(images[k:k + 1], labels[k:k + 1], task, k))
        states.append(state())
    counts = int(optimizers_.generator.iterations), int(optimizers_.critic.iterations)
    for optimizer in optimizers_[:2]:
        optimizers.reset(optimizer)
    for name, network in built.items():
        for variable, value in zip(network.variables, states[0][name]):
            variable.assign(value)
    at_once = steps.iterate(images, labels, task, 0)
    norms = networks.generator.norm1, networks.generator.norm2, networks.generator.norm3
    one_by_one = {name: np.concatenate([part[name] for part in values]) for name in at_once}
    return Watched(states, one_by_one, at_once, state(), counts,
                   [(norm.moving_mean.numpy(), norm.moving_variance.numpy()) for norm in norms])


@pytest.fixture(scope="module")
def run():
    return watch(CONFIG)


def moved(run, network, iteration):
    return any(not np.array_equal(a, b) for a, b in zip(run.states[iteration][network],
                                                        run.states[iteration + 1][network]))


def test_who_moves_when(run):
    """The generator rests in iteration 0; the critic moves in every one; the replay generator never."""
    assert [moved(run, "generator", k) for k in range(3)] == [False, True, True]
    assert [moved(run, "critic", k) for k in range(3)] == [True, True, True]
    assert [moved(run, "replay", k) for k in range(3)] == [False, False, False]


def test_moving_statistics_are_never_touched(run):
    for mean, variance in run.statistics:
        assert np.all(mean == 0) and np.all(variance == 1)


def test_the_critic_takes_its_steps_in_every_iteration_and_the_generator_one_in_all_but_the_first(run):
    assert run.steps == (2, 3 * CONFIG.critic_steps)


def assert_chunks_do_not_matter(run):
    for network, values in run.final.items():
        for a, b in zip(values, run.states[-1][network]):
            np.testing.assert_allclose(a, b, atol=1e-6)
    for name, values in run.at_once.items():
        np.testing.assert_allclose(values, run.values[name], rtol=1e-4)


def test_chunks_do_not_matter(run):
    assert_chunks_do_not_matter(run)


@pytest.mark.full
def test_chunks_of_joint_training_do_not_matter():
    assert_chunks_do_not_matter(watch(JOINT))


def test_first_generator_step_of_a_task_has_nothing_to_align(run):
    _, _, steps = start()
    costs = run.values["RA-cost"]
    assert "RA-cost" in steps.of_generator and costs[1] == 0 and costs[2] > 0


def test_the_first_generator_step_moves_no_weight_further_than_the_learning_rate(run):
    """Also not the class tables, whose gradient comes as one row per sample: Adam must square the rows' sum."""
    names = [variable.path for variable in build_networks(CONFIG.data).generator.trainable_variables]
    trained = [k for k, variable in enumerate(build_networks(CONFIG.data).generator.variables) if variable.trainable]
    for name, k in zip(names, trained, strict=True):
        furthest = np.abs(run.states[2]["generator"][k] - run.states[1]["generator"][k]).max()
        assert 0 < furthest <= 1.01e-4, name


def test_joint_replay_adds_the_gradients_of_its_costs():
    """Of the first step: beta_1 is 0, so Adam's first moment is the gradient."""
    def gradients(config):
        networks, optimizers_, steps = start(config)
        # Equal generators would leave JTR's gradient to the critic's term for their images alone.
        images = tf.random.stateless_uniform([4, 32, 32, 1], [1, 2], -1.0, 1.0)
        critic = draw_critic_noise(CONFIG, 1, 1, 0)
        critic = critic._replace(latent=critic.latent[:4], alpha=critic.alpha[:4], fake_labels=critic.fake_labels[:4])
        generator = draw_generator_noise(CONFIG, 1, 1)
        with tf.GradientTape(persistent=True) as tape:
            of_critic = replay.joint_replay_costs(networks.generator, networks.replay, networks.critic,
                                                  critic.methods["replay"]).critic_total(CONFIG)
            of_generator = replay.joint_replay_costs(networks.generator, networks.replay, networks.critic,
                                                     generator.methods["replay"]).generator_total(CONFIG)
        # Of a weight that only matters elsewhere there is none.
        expected = [tape.gradient(cost, [variable.value for variable in network.trainable_variables],
                                  unconnected_gradients="zero")
                    for cost, network in ((of_generator, networks.generator), (of_critic, networks.critic))]
        steps.generator(generator._replace(latent=generator.latent[:4], fake_labels=generator.fake_labels[:4]))
        moments = [optimizers_.generator._momentums]
        networks, optimizers_, steps = start(config)
        steps.critic(images, tf.ones([4], tf.int32), critic)
        return expected, [*moments, optimizers_.critic._momentums]

    expected, with_replay = gradients(CONFIG)
    _, without = gradients(dataclasses.replace(CONFIG, joint_replay=False))
    for added, ours, plain in zip(expected, with_replay, without, strict=True):
        scale = max(float(tf.reduce_max(tf.abs(gradient))) for gradient in added)
        assert scale > 1e-4
        for a, b, c in zip(added, ours, plain, strict=True):
            np.testing.assert_allclose(np.asarray(b) - np.asarray(c), tf.convert_to_tensor(a), atol=1e-4 * scale)


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
    assert set(reported_quantities(config, acting(build_methods(config, None), task))) == names


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
    _, optimizers_, _ = start()
    optimizer = optimizers_.critic
    optimizer.apply([tf.ones(variable.shape) for variable in optimizer._trainable_variables])
    assert any(np.any(variable != 0) for variable in optimizer.variables[2:])
    optimizers.reset(optimizer)
    assert all(np.all(variable == 0) for variable in optimizer.variables if variable.name != "learning_rate")
    assert float(optimizer.learning_rate) == pytest.approx(1e-4)


@pytest.mark.full
@pytest.mark.parametrize("settings", [{"joint_replay": True, "replay_alignment": True}, {"generative_replay": True}])
def test_steps_of_a_task_give_a_later_one_the_same_as_its_own(settings):
    """The noise is of other shapes there: more old classes, fewer samples of each."""
    config = Config("mnist", 3, batch_size=8, critic_steps=1, **settings)
    runs = []
    for made_for in (1, 3):
        networks = networks_of(config)
        steps = make_steps(config, networks, build_optimizers(config, networks), made_for)
        runs.append((steps.iterate(*batches(2, config, task=3), 3, 0), weights(networks.generator)))
    (values, shared), (expected, own) = runs
    assert all(np.array_equal(values[name], expected[name]) for name in expected)
    assert all(map(np.array_equal, shared, own))


@functools.cache
def costs_in(precision):
    """Of three iterations."""
    config = dataclasses.replace(CONFIG, precision=precision)
    networks = build_networks(config.data, dtype=precision)
    copy_weights(networks.generator, networks.replay)
    steps = make_steps(config, networks, build_optimizers(config, networks), 1)
    values = steps.iterate(*batches(3), 1, 0)
    assert all(variable.dtype == "float32" for variable in networks.critic.variables)
    return values


@pytest.mark.full
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_follows_float32(precision):
    """Same noise, same weights: after three iterations costs agree to a few percent and weights stay float32."""
    full, mixed = costs_in("float32"), costs_in(precision)
    for name in ("d-cost", "wgan-pure", "penalty", "JTR_disc_cost"):
        np.testing.assert_allclose(mixed[name], full[name], rtol=0.1, atol=0.1)


@pytest.mark.full
def test_xla_gives_the_same_numbers():
    """Iteration 0 moves the critic, iteration 1 both; weights agree but for what Adam makes of rounding."""
    config = dataclasses.replace(CONFIG, critic_steps=1)
    runs = []
    for jit in (False, True):
        networks = build_networks(config.data)
        copy_weights(networks.generator, networks.replay)
        steps = make_steps(config, networks, build_optimizers(config, networks), 1, jit=jit)
        runs.append((steps.iterate(*batches(2, config), 1, 0), networks))
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
