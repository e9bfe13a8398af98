"""Reverse accuracy of stand-ins for generated images whose worth is known."""

import numpy as np
import pytest

from lib.classifiers.training import Recipe
from lib.data import sources
from lib.metrics.reverse_accuracy import reverse_accuracy

RECIPE = Recipe(epochs=4, batch_size=64, learning_rate=1e-3)


@pytest.mark.full
def test_real_images_as_generated_ones_teach_what_the_real_ones_are():
    train, test = sources.load("digits", "train"), sources.load("digits", "test")
    generated = train.images.astype(np.float32) / 127.5 - 1
    assert reverse_accuracy("digits", generated, train.labels, *test, recipe=RECIPE) > 0.9


@pytest.mark.full
def test_wrong_labels_and_single_instances_are_found_out():
    train, test = sources.load("digits", "train"), sources.load("digits", "test")
    shuffled = (train.labels + 1) % 10
    assert reverse_accuracy("digits", train.images, shuffled, *test, recipe=RECIPE) < 0.1
    # One picture per class, as a generator with collapsed classes gives: recognised themselves, they teach little.
    first = np.array([np.flatnonzero(train.labels == label)[0] for label in range(10)])
    collapsed = train.images[np.tile(first, 60)]
    assert reverse_accuracy("digits", collapsed, np.tile(np.arange(10, dtype=np.int32), 60), *test,
                            recipe=RECIPE) < 0.8
