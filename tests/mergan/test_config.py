"""The settings of the original, and what follows from them."""

import json

import pytest

from lib.mergan.config import DATASETS, Config, make_config
from tests.process import ROOT

PUBLISHED = json.loads((ROOT / "lib/reproduce/published.json").read_text())["mergan"]["settings"]


def test_lsun_learns_as_long_as_was_published():
    """The code's count includes iteration 0, which has no generator step."""
    assert make_config(dataset="lsun").iterations == PUBLISHED["lsun_iterations_per_task"] + 1


@pytest.mark.parametrize("dataset", ["mnist", "svhn", "lsun"])
def test_the_published_settings_are_the_defaults(dataset):
    config = Config(dataset, 1, learning_rate=DATASETS[dataset].learning_rate)
    assert (config.batch_size, config.learning_rate) == (PUBLISHED["batch_size"], PUBLISHED["learning_rate"])
    assert config.classification == PUBLISHED["lambda_CLS"]
    assert config.consolidation_factor == PUBLISHED["lambda_EWC"]


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
    assert config.classification == 0
