"""The same images of one's own through all three systems."""

import json

import numpy as np
import pytest

import lvae.config
import memorygan.config
from lib.classifiers.networks import build_classifier
from lib.data import limits, own
from lib.mergan.config import NOISE, make_config, of_own_images
from lib.mergan.data import TrainingImages, data_set
from lib.mergan.networks import build_networks
from lvae import distributions
from memorygan import data as memorygan_data
from tests import written
from tests.process import Place, refused

FACTS = {"side": 32, "channels": 1, "classes": ("a", "b", "c")}


@pytest.fixture
def folder(tmp_path) -> str:
    written.classes(tmp_path / "own", {"a": 20, "b": 20, "c": 20}, side=32)
    return str(tmp_path / "own")


def mergan(folder, **settings):
    return TrainingImages(make_config(dataset="folder", batch_size=4, **FACTS, **settings), folder)


def taken(folder) -> list[np.ndarray]:
    """Images and labels as the systems learn them: MeRGAN's of a class and of all, memoryGAN's, the Lifelong VAE's."""
    of_class, of_all = mergan(folder).batches(1), mergan(folder, joint=True).batches(0)
    config = memorygan.config.make_config("folder", batch_size=4, side=32, channels=1)
    unlabelled = memorygan_data.open_training(config, folder).batches
    course = distributions.load(lvae.config.make_config("folder", classes=FACTS["classes"]), folder)
    joined = course.training_images([0, 2])
    return [*of_class.take(0, 2), *of_all.take(3, 2), unlabelled.take(0, 2)[0], joined.take([0, 20], (32, 32, 3)),
            joined.labels, course.tests[""].take(slice(0, 2), (32, 32, 3)),
            memorygan_data.load_test_images(config, folder)[:3]]


def test_images_from_memory_and_from_files_are_the_same(folder, monkeypatch):
    in_memory = taken(folder)
    assert (in_memory[1] == 1).all() and set(in_memory[3].ravel()) == {0, 1, 2}
    monkeypatch.setattr(limits, "MAX_BYTES", 1)
    for ours, theirs in zip(in_memory, taken(folder), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_tables_and_heads_grow_with_the_classes(folder):
    data = of_own_images(tuple("abcdefghijkl"), 32, 1)
    assert data.tested_tasks == (5, 11) and data.classifier_classes == tuple(range(12))
    networks = build_networks(data, replay=False)
    images = networks.generator(np.zeros([2, NOISE], np.float32), np.array([0, 11]))
    assert networks.critic(images).logits.shape == (2, 12)
    assert build_classifier(own.opened(folder, 32))(np.zeros([1, 32, 32, 1], np.float32)).shape == (1, 3)


def test_too_few_images_for_a_batch_are_refused_before_the_first_task(folder):
    settings = {"dataset": "folder", "batch_size": 19, **FACTS}
    with pytest.raises(own.UserError, match="class a: 18 images are fewer than the 19"):
        TrainingImages(make_config(**settings), folder)
    TrainingImages(make_config(joint=True, **settings), folder)  # a batch is of all classes
    assert data_set(make_config(dataset="digits"), folder) == "digits"


def test_a_run_is_not_tested_with_other_classes(folder, tmp_path):
    place = Place(tmp_path)
    written.put(tmp_path / "run/settings.json", json.dumps({**FACTS, "classes": ["b", "a", "c"]}).encode())
    said = refused(place.call(f"mergan.py --dataset folder --data_dir {folder} --test --result_path run"))
    assert "run has learned other images" in said and "classes: ['b', 'a', 'c'] there" in said
    said = refused(place.call("mergan.py --side 64 --test --result_path run"))
    assert "--side=64 goes with --dataset=folder alone; mnist has its own" in said
