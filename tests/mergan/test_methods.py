"""A method is one class and its line in `METHODS`: costs, noise, log and own state follow from it."""

import numpy as np
import pytest
import tensorflow as tf

from lib.mergan import methods
from lib.mergan.checkpoint import resume_state
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import networks_of
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps
from lib.mergan.train import Training


class Sixth(methods.Method):
    """Draws, adds a term to each cost, and counts the tasks."""

    name, switch, meaning = "SIX", "tf1_exact", "a trial"

    def __init__(self, config, networks):
        super().__init__(config, networks)
        self.learned = tf.Variable(0)
        self.state = {"learned": self.learned}

    @staticmethod
    def generator_noise(config, task):
        return {"sixth": (task, NOISE)}

    def generator_terms(self):
        return {"six-gen": lambda noise: tf.cast(tf.size(noise["sixth"]), tf.float32)}

    def critic_terms(self):
        return {"six-disc": lambda noise: tf.constant(6.0)}

    def remember(self, task):
        self.learned.assign_add(1)


@pytest.mark.full
def test_a_sixth_method_needs_nothing_but_its_class_and_its_line(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, Sixth))
    config = Config("mnist", 3, tf1_exact=True, batch_size=4, critic_steps=1)
    networks = networks_of(config)
    optimizers, built = build_optimizers(config, networks), methods.build_methods(config, networks)
    assert resume_state(networks, optimizers, built)["learned"] is built[0].learned
    steps = make_steps(config, networks, optimizers, 2, built)
    values = steps.iterate(np.zeros([2, 1, 4, 32, 32, 1], np.uint8), np.full([2, 1, 4], 2, np.int32), 2, 0)
    assert values["six-gen"].numpy().tolist() == [0, 2 * NOISE] and values["six-disc"].numpy().tolist() == [6, 6]
    assert steps.of_generator == {"g-cost", "six-gen"}


@pytest.mark.parametrize("settings, task, critic, generator", [
    ({}, 2, {}, {}),
    ({"replay_alignment": True}, 0, {}, {}),
    ({"replay_alignment": True}, 2, {}, {"alignment": (2, 4, NOISE)}),
    ({"joint_replay": True}, 2, {"replay": (2, 4, NOISE)}, {"replay": (2, 4, NOISE)}),
    ({"consolidation": True}, 2, {}, {}),
    ({"generative_replay": True}, 0, {"mixture": (0, NOISE)}, {}),
    ({"generative_replay": True}, 3, {"mixture": (6, NOISE)}, {})])
def test_each_method_draws_its_own_and_no_other(settings, task, critic, generator):
    config = Config("mnist", 3, batch_size=8, **settings)
    for noise, expected in ((draw_critic_noise(config, task, 1, 0), critic),
                            (draw_generator_noise(config, task, 1), generator)):
        assert {name: tuple(drawn.shape) for name, drawn in noise.methods.items()} == expected


def test_labels_that_are_asked_for():
    def labels(**settings):
        return draw_critic_noise(Config("lsun", 3, batch_size=200, **settings), 3, 1, 0).fake_labels.numpy()

    assert set(labels()) == {3} and set(labels(generative_replay=True)) == {0}
    assert set(labels(joint=True)) == {0, 1, 2, 3}


def test_names_switches_and_streams_are_no_one_elses():
    for field in ("name", "switch"):
        assert len({getattr(method, field) for method in methods.METHODS}) == len(methods.METHODS)


@pytest.mark.parametrize("settings, shared", [
    ({}, [True, True]), ({"joint_replay": True}, [False, True]), ({"generative_replay": True}, [False, True])])
def test_tasks_of_the_same_methods_share_their_graphs(settings, shared):
    """Each graph takes seconds to make, and memory that is never given back."""
    training = Training(Config("mnist", 3, batch_size=8, **settings), jit=False, strategy=None)
    steps = [training.steps(task) for task in range(3)]
    assert [one is another for one, another in zip(steps, steps[1:])] == shared
