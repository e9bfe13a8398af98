"""Distributions, their order and their switching."""

import dataclasses
import itertools

import numpy as np
import pytest

from lib.errors import UserError
from lvae import data, distributions
from lvae.config import EXPERIMENTS, Config
from lvae.data import Samples
from tests import written


def _config(experiment="fashion_dnn", **options) -> Config:
    return Config(experiment, EXPERIMENTS[experiment].architecture, sequential=True, **options)


def _samples(labels, value=0) -> Samples:
    return Samples(np.full((len(labels), 28, 28, 1), value, np.uint8), np.array(labels, np.int32), data.unit)


def test_every_epoch_shows_every_image_once():
    stream = distributions.stream(_config(), 0, 7)
    rows = np.concatenate([stream.rows(start, 5) for start in range(0, 35, 5)])
    for epoch in rows.reshape(-1, 7):
        assert sorted(epoch) == list(range(7))
    np.testing.assert_array_equal(stream.rows(3, 20), rows[3:23])


def test_schedule_lasts_longer_than_the_interval_and_goes_round():
    entries = distributions.schedule(_config(batch_size=3, min_interval=20, max_dist_swaps=7), 3)
    assert [number for number, _ in entries] == [0, 1, 2, 0, 1, 2, 0]
    assert all(length > 20 for _, length in entries)
    assert entries == distributions.schedule(_config(batch_size=3, min_interval=20, max_dist_swaps=7), 3)


def test_expected_wait_is_thirteen_batches():
    generator = np.random.default_rng(1)
    found = distributions.switches(2, 0, 2, lambda iteration: int(generator.integers(26)))
    last = list(itertools.islice(found, 2000))[-1][0]
    assert abs(last / 2000 - 26) < 3


def test_a_revisited_class_is_not_new_nor_is_a_compressed_rotation():
    parts = [distributions.Distribution(name, label, _samples([label]), _samples([label]))
             for name, label in (("one", 1), ("two", 2), ("one at 30", 1))]
    course = distributions.Course(parts, {})
    assert [distributions.new_classes(_config(), course, entries) for entries in ([0, 1], [0, 1, 0], [0, 1, 2])] == [
        1, 0, 1]
    assert distributions.new_classes(_config(compress_rotations=True), course, [0, 1, 2]) == 0


def test_a_permutation_moves_all_images_alike():
    values = np.arange(2 * 784).reshape(2, 28, 28, 1).astype(np.uint8)
    moved = distributions.permuted(Samples(values, np.zeros(2, np.int32), data.unit), 3)
    order = np.random.RandomState(3).permutation(784)
    np.testing.assert_array_equal(moved.values.reshape(2, 784), values.reshape(2, 784)[:, order])


def test_sets_of_different_kinds_meet_as_pixels():
    colour = Samples(np.full((2, 28, 28, 3), 51, np.uint8), np.array([2, 3]), lambda values: values / 255)
    both = distributions.joined([_samples([1], 255), colour])
    images = both.take(slice(None), (28, 28, 3))
    np.testing.assert_allclose(images[0], 1.0)
    np.testing.assert_allclose(images[1:], 0.2)
    assert both.labels.tolist() == [1, 2, 3]


def test_classes_of_files(fashion):
    course = distributions.load(_config(rotate=("fashion",)), str(fashion))
    assert len(course.distributions) == 10 + 10 * len(data.ANGLES)
    first, turned = course.distributions[3], course.distributions[40]
    assert first.label == turned.label == 3 and len(first.train) == 4 and len(first.test) == 2
    for part in (first, turned):
        images = part.train.take(slice(None), (784,))
        assert images.dtype == np.float32 and images.min() >= 0 and 0.9 <= images.max() <= 1


def test_exact_rotations_of_fashion_leave_the_range(fashion):
    course = distributions.load(_config(rotate=("fashion",), tf1_exact=True), str(fashion))
    assert course.distributions[13].train.take(slice(None), (784,)).max() == 255


def test_missing_data_name_the_place(tmp_path):
    with pytest.raises(UserError, match="fashion"):
        distributions.load(_config(), str(tmp_path))


def test_threshold_is_blind_to_brightness():
    images = written.striped(4)[0] // 2
    np.testing.assert_array_equal(data.adaptive_threshold(images), data.adaptive_threshold(images + 100))


def test_held_out_rows_are_a_tenth():
    kept, held = data.hold_out(45)
    assert len(held) == 5 and sorted([*kept, *held]) == list(range(45))


def test_methods_see_their_data(fashion):
    config = _config()
    course = distributions.load(config, str(fashion))
    chosen = {method: distributions.trained_on(dataclasses.replace(config, method=method, ewc_gamma=method == "ewc"),
                                               [0, 1, 0], 10)
              for method in ("lifelong", "vanilla", "ewc", "progressive", "full_batch")}
    seen = {method: set(course.training_images(numbers).labels) for method, numbers in chosen.items()}
    assert seen == {"lifelong": {0}, "vanilla": {0}, "ewc": {0}, "progressive": {0, 1}, "full_batch": set(range(10))}
