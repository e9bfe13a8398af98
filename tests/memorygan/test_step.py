"""Steps: what changes, the learning rate, and the same numbers however iterations are grouped."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from memorygan import checkpoint
from memorygan.noise import draw_noise
from memorygan.step import build_model, learning_rate, make_steps
from tests.memorygan import tiny


def batches(count, config):
    side, channels = config.data.side, config.data.channels
    random = np.random.RandomState(0)
    return tf.constant(random.randint(0, 256, (count, config.batch_size, side, side, channels)).astype(np.uint8))


def values(model) -> list:
    parts = [*model.networks, *([model.memory] if model.memory else [])]
    return [variable.numpy() for part in parts for variable in part.variables]


def test_the_rate_is_zero_from_half_of_the_iterations_on():
    config = tiny.config(lr_decay=True)
    # Two steps per iteration, 10 iterations: zero after step 10.
    rates = [float(learning_rate(config, step, 10)) for step in (0, 5, 10, 19)]
    np.testing.assert_allclose(rates, [2e-4, 1e-4, 0.0, 0.0], rtol=1e-6)
    assert float(learning_rate(tiny.config(), 19, 10)) == np.float32(2e-4)


@functools.cache
def history_in(precision):
    """Of one iteration."""
    config = tiny.config(precision=precision)
    model = build_model(config)
    history = make_steps(config, model, 10).iterate(batches(1, config), 0)
    assert int(model.optimizers.global_step) == 2
    assert all(np.isfinite(value).all() for value in values(model))
    return history


@pytest.mark.full
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_close_to_float32(precision):
    for name, series in history_in(precision).items():
        np.testing.assert_allclose(series, history_in("float32")[name], rtol=0.05, atol=0.01, err_msg=name)


@pytest.mark.full
def test_xla_gives_the_same_numbers():
    config = tiny.config(lr_decay=True)
    models = [build_model(config) for _ in range(2)]
    plain, compiled = (make_steps(config, model, 10, jit=jit).iterate(batches(2, config), 0)
                       for model, jit in zip(models, (False, True)))
    for name, series in plain.items():
        np.testing.assert_allclose(compiled[name], series, rtol=1e-3, err_msg=name)
    assert [int(model.optimizers.global_step) for model in models] == [4, 4]
    np.testing.assert_array_equal(models[0].memory.state().values, models[1].memory.state().values)


@pytest.mark.full
@pytest.mark.parametrize("settings", [
    pytest.param(settings, id=" ".join(f"{name}={value}" for name, value in settings.items()) or "default")
    for settings in ({}, {"memory_update": "kaiser"}, {"slot_sampling": False},
                     {"model": "GAN", "discriminator": "base_d"},
                     {"model": "GAN", "discriminator": "memory_d", "loss": "updown"},
                     {"loss": "reverse_kl", "use_augmentation": True, "lr_decay": True})])
def test_grouped_iterations_are_the_same_as_single_ones(tmp_path, settings):
    """By the same graph: tracing it is what takes the time."""
    config = tiny.config(**settings)
    images, model = batches(3, config), build_model(config)
    steps = make_steps(config, model, 10)
    checkpoint.write(tmp_path / "start", model)
    history = steps.iterate(images, 4)
    together = values(model)
    assert int(model.optimizers.global_step) == 6
    checkpoint.restore(tmp_path / "start", model)
    for k in range(3):
        single = steps.iterate(images[k:k + 1], 4 + k)
        for name, series in history.items():
            assert np.isfinite(series[k]) and float(series[k]) == float(single[name][0]), name
    for ours, theirs in zip(together, values(model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_each_step_changes_its_own_network_and_both_their_averages():
    config = tiny.config()
    model = build_model(config)
    steps = make_steps(config, model, 10)
    images = tf.cast(batches(1, config)[0], tf.float32) / 255.0

    def changed(step):
        networks = dict(zip("gd", model.networks))
        before = {name: [variable.numpy() for variable in network.variables] for name, network in networks.items()}
        step(images, draw_noise(config, model.memory.state(), "test", 0))
        return {(name, variable.trainable) for name, network in networks.items()
                for variable, value in zip(network.variables, before[name]) if not np.array_equal(variable, value)}

    assert changed(steps.discriminator) == {("d", True), ("d", False), ("g", False)}
    assert changed(steps.generator) == {("g", True), ("d", False), ("g", False)}


def test_every_trainable_variable_belongs_to_one_optimiser():
    model = build_model(tiny.config("cifar10"))
    for network, optimizer in ((model.networks.generator, model.optimizers.generator),
                               (model.networks.discriminator, model.optimizers.discriminator)):
        assert len(optimizer.variables) == 2 + 2 * len(network.trainable_variables)


def test_the_seed_decides_everything_that_is_drawn():
    config = tiny.config()
    state = build_model(config).memory.state()._replace(histogram=tf.ones([64]))
    first, again = (draw_noise(config, state, "generator", 3) for _ in range(2))
    other = draw_noise(dataclasses.replace(config, seed=1), state, "generator", 3)
    later = draw_noise(config, state, "generator", 4)
    np.testing.assert_array_equal(first.latent, again.latent)
    np.testing.assert_array_equal(first.slots, again.slots)
    for different in (other, later):
        assert not np.array_equal(first.latent, different.latent)
        assert not np.array_equal(first.slots, different.slots)
    assert -1.0 <= float(tf.reduce_min(first.latent)) and float(tf.reduce_max(first.latent)) <= 1.0
