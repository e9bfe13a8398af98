"""The settings of the original, and what follows from them."""

import pytest

from lib.mergan.config import DATASETS, Config, make_config


@pytest.mark.parametrize("dataset, per_task, joint", [("mnist", 4001, 40001), ("svhn", 8001, 80001),
                                                      ("lsun", 20001, 80001)])
def test_default_iterations(dataset, per_task, joint):
    assert make_config(dataset=dataset).iterations == per_task
    assert make_config(dataset=dataset, joint=True).iterations == joint


def test_fixed_constants():
    config = Config("mnist", 1)
    assert (config.batch_size, config.critic_steps, config.penalty_factor) == (64, 5, 10)
    assert (config.learning_rate, config.beta_1, config.beta_2) == (1e-4, 0, 0.9)
    assert (config.critic_classification, config.generator_classification) == (1, 1)


def test_classes_in_the_order_of_the_original():
    assert DATASETS["lsun"].classes == ("bedroom", "kitchen", "church_outdoor", "tower")
    assert DATASETS["lsun"].classifier_classes == (0, 1, 8, 6)
    assert DATASETS["mnist"].classes == tuple("0123456789")


@pytest.mark.parametrize("first_tasks, tasks, tested", [(0, 10, (4, 9)), (3, 3, (2,)), (5, 5, (4,)), (7, 7, (4, 6)),
                                                        (10, 10, (4, 9))])
def test_fewer_tasks_are_tested_after_the_last(first_tasks, tasks, tested):
    config = Config("mnist", 1, first_tasks=first_tasks)
    assert config.tasks == tasks and config.tested_tasks == tested


def test_joint_training_is_one_task():
    config = Config("mnist", 1, joint=True)
    assert config.tasks == 1 and config.tested_tasks == (4, 9)


def test_generative_replay_has_no_class_terms():
    config = Config("mnist", 1, generative_replay=True)
    assert config.critic_classification == config.generator_classification == 0


def test_only_the_demonstration_learns_faster():
    assert {name: data.learning_rate for name, data in DATASETS.items()} == {
        "mnist": 1e-4, "svhn": 1e-4, "lsun": 1e-4, "digits": 1e-3}
