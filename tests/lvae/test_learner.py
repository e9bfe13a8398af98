"""The learner comes back from a resume point whatever happened to it before; EWC's pieces."""

import dataclasses
import gc
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from lvae import baselines, posterior, step
from lvae.config import Architecture, Config
from lvae.learner import Learner

CONFIG = Config("x", Architecture("dense", (5, 6, 1), "bernoulli", (8,), (6,)), latent_size=3, batch_size=4,
                sequential=True, use_bn=True)


def _images(count=1):
    return tf.constant(np.random.default_rng(0).uniform(size=(count, 4, 30)).astype(np.float32))


def _importance(learner):
    return [tf.ones_like(variable.value) for variable in learner.networks.student.trainable_variables]


@pytest.mark.parametrize("method, forks, tf1_exact", [
    ("lifelong", 1, False), *(pytest.param(method, forks, exact, marks=pytest.mark.full) for method, forks, exact in [
        ("lifelong", 0, False), ("lifelong", 2, False), ("ewc", 0, False),
        ("lifelong", 0, True), ("lifelong", 1, True), ("lifelong", 2, True), ("ewc", 0, True)])])
def test_resumed_learner_goes_on_bit_for_bit(tmp_path, method, forks, tf1_exact):
    config = dataclasses.replace(CONFIG, method=method, tf1_exact=tf1_exact, ewc_gamma=float(method == "ewc"))
    learner = Learner(config)
    for number in range(forks):
        learner.steps().iterate(_images(2), tf.constant(0))
        learner.visited.append(number + 1)
        learner.fork(1)
    if method == "ewc":
        learner.hold(_importance(learner))
    learner.steps().iterate(_images(12), tf.constant(0))
    path = tf.train.Checkpoint(learner=learner).write(str(tmp_path / "point"))
    again = Learner(config)
    tf.train.Checkpoint(learner=again).read(path).assert_consumed()
    assert (again.visited, again.lineage) == (learner.visited, learner.lineage)
    for one in (learner, again):
        one.steps().iterate(_images(3), tf.constant(12))
    for ours, theirs in zip(again.networks.student.variables, learner.networks.student.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert float(again.clock.temperature) == float(learner.clock.temperature) < 1.0


@pytest.mark.parametrize("formulas", ["tf1", "pytorch"])
def test_the_clock_of_a_loaded_model_stands_where_its_steps_would_have_brought_it(formulas):
    config, state = dataclasses.replace(CONFIG, formulas=formulas), posterior.start_annealing()
    for count in range(45):
        clock = step.start_clock()
        step.wind_clock(config, clock, count)
        assert int(clock.calls) == int(state.calls) == count * (1 if formulas == "tf1" else 2)
        assert float(step.current_temperature(config, clock.read())) == float(step.current_temperature(config, state))
        state = step._after_training(config, state)
    assert float(step.current_temperature(config, state)) < 1.0


@pytest.mark.full
def test_forks_let_go_of_what_came_before():
    """After the second fork nothing is left of the first models: no variable, no graph that captured one."""
    learner, alive = Learner(CONFIG), []
    for number in range(4):
        learner.steps().iterate(_images(2), tf.constant(0))
        learner.visited.append(number + 1)
        learner.fork(1)
        gc.collect()
        kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
        alive.append({kind: kinds[kind] for kind in ("FuncGraph", "ResourceVariable", "Operation")})
    assert alive[1] == alive[2] == alive[3] and alive[1]["ResourceVariable"] > 0


@pytest.mark.full
def test_xla_gives_the_same_numbers():
    """Of a student beside its teacher."""
    histories = []
    for jit in (False, True):
        learner = Learner(CONFIG, jit)
        learner.visited.append(1)
        learner.fork(1)
        histories.append(learner.steps().iterate(_images(3), tf.constant(0)))
    for name, series in histories[0].items():
        np.testing.assert_allclose(histories[1][name], series, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.full
@pytest.mark.parametrize("optimizer", ["adam", "adamnorm"])
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_trains_close_to_float32(precision, optimizer):
    learners = [Learner(dataclasses.replace(CONFIG, precision=name, optimizer=optimizer))
                for name in ("float32", precision)]
    for learner in learners:
        learner.steps().iterate(_images(5), tf.constant(0))
        learner.visited.append(1)
        learner.fork(1)
    exact, rough = (learner.steps().iterate(_images(5), tf.constant(0)) for learner in learners)
    assert learners[1].networks.student.encoder.compute_dtype == precision.removeprefix("mixed_")
    assert all(variable.dtype == "float32" for variable in learners[1].networks.student.variables)
    for name, series in rough.items():
        assert np.isfinite(series).all()
        # Two rows agree or not; the norm of a step that overflowed is not reported.
        if name != "consistency_accuracy" and (name, precision) != ("grad_norm", "mixed_float16"):
            np.testing.assert_allclose(series, exact[name], rtol=0.05, atol=0.02, err_msg=name)


def test_squared_gradients_are_those_of_every_image_alone():
    learner = Learner(dataclasses.replace(CONFIG, use_bn=False))
    vae, images = learner.networks.student, _images(3)[0]
    uniform = tf.random.stateless_uniform([4, 1], [1, 2])
    expected = [np.zeros(variable.shape) for variable in vae.trainable_variables]
    for row in range(4):
        with tf.GradientTape() as tape:
            rows = slice(row, row + 1)
            cost = baselines.settled_costs(CONFIG, vae, images[rows], uniform[rows]).total(CONFIG)
        gradients = tape.gradient(cost, [variable.value for variable in vae.trainable_variables],
                                  unconnected_gradients="zero")
        expected = [total + np.square(gradient) for total, gradient in zip(expected, gradients)]
    for ours, theirs in zip(baselines.squared_gradients(CONFIG, vae, images, uniform), expected):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6 * theirs.max() + 1e-12)


def test_penalty_pulls_back_by_importance():
    anchor = baselines.Anchor([tf.constant([2.0, 0.0])], [tf.constant([1.0, 1.0])])
    weights = tf.constant([3.0, 7.0])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        penalty = baselines.penalty(0.5, [weights], anchor)
    assert float(penalty) == 2.0
    np.testing.assert_allclose(tape.gradient(penalty, weights), [2.0, 0.0])


def test_importances_add_up():
    learner = Learner(CONFIG)
    for _ in range(3):
        learner.hold(_importance(learner))
    assert all((importance.numpy() == 3.0).all() for importance in learner.anchor.importance)


def test_adamnorm_divides_by_the_norm():
    gradients = step.normalised([tf.constant([3.0, 4.0]), tf.constant([0.0])])
    np.testing.assert_allclose(gradients[0], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(gradients[1], [0.0])


@pytest.mark.full
def test_reports_name_what_there_is():
    learner = Learner(CONFIG)
    history = learner.steps().iterate(_images(2), tf.constant(0))
    assert set(history) == {"loss", "elbo", "latent_kl", "log_likelihood", "grad_norm"}
    learner.fork(1)
    history = learner.steps().iterate(_images(2), tf.constant(0))
    assert {"consistency", "consistency_accuracy"} <= set(history)
    np.testing.assert_allclose(history["loss"], history["elbo"] + history["consistency"], rtol=1e-5)
