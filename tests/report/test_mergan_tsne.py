"""The embedding."""

import numpy as np
import pytest

from lib.errors import UserError
from lib.mergan.report import tsne


def test_embedding_keeps_clusters_apart_and_is_the_same_each_time():
    random = np.random.RandomState(2)
    groups = [random.normal(0, 1, [12, 8]), random.normal(40, 1, [9, 8])]
    first, second = tsne.embed(groups)
    assert first.shape == (12, 2) and second.shape == (9, 2)
    centre = first.mean(axis=0)
    inside = np.linalg.norm(first - centre, axis=1).max()
    assert np.linalg.norm(second - centre, axis=1).min() > inside
    assert all(np.array_equal(a, b) for a, b in zip(tsne.embed(groups), (first, second)))


def test_embedding_of_too_few_images():
    with pytest.raises(UserError, match="three"):
        tsne.embed([np.zeros([2, 4])])
