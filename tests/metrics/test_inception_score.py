"""Scores with closed forms, and against sums written out."""

import math

import numpy as np
import pytest

from lib.errors import UserError
from lib.metrics.inception_score import inception_score


def test_images_that_say_nothing_score_one():
    score = inception_score(np.full([100, 10], 0.1))
    assert score.mean == pytest.approx(1.0, abs=1e-12) and score.deviation == pytest.approx(0.0, abs=1e-12)
    same = np.tile(np.eye(10)[3], [100, 1])
    assert inception_score(same).mean == pytest.approx(1.0)


def test_certain_images_of_all_classes_score_the_number_of_classes():
    # Zeros among the probabilities count as 0 log 0 = 0.
    score = inception_score(np.tile(np.eye(10), [20, 1]))
    assert score.mean == pytest.approx(10.0) and score.deviation == pytest.approx(0.0, abs=1e-12)


def test_two_splits_by_hand():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    score = inception_score(probabilities, splits=2)
    assert score.mean == pytest.approx(1.5) and score.deviation == pytest.approx(0.5)


@pytest.mark.parametrize("count", [200, 207])
def test_against_sums_written_out(count):
    probabilities = np.random.default_rng(0).dirichlet(np.full(7, 0.3), size=count).astype(np.float32)
    scores = []
    for k in range(10):
        part = probabilities[k * count // 10:(k + 1) * count // 10].astype(np.float64).tolist()
        marginal = [sum(row[c] for row in part) / len(part) for c in range(7)]
        divergences = [sum(p * (math.log(p) - math.log(q)) for p, q in zip(row, marginal) if p > 0) for row in part]
        scores.append(math.exp(sum(divergences) / len(part)))
    mean = sum(scores) / 10
    deviation = math.sqrt(sum((score - mean) ** 2 for score in scores) / 10)
    # rel: the rows of float32 sum to 1 only to 1e-7.
    assert inception_score(probabilities) == pytest.approx((mean, deviation), rel=1e-6)


def test_refuses_what_are_no_probabilities():
    with pytest.raises(UserError, match="5 images for 10 splits"):
        inception_score(np.full([5, 2], 0.5))
    with pytest.raises(UserError, match="sum to 1"):
        inception_score(np.random.default_rng(0).standard_normal([20, 10]))
    with pytest.raises(UserError, match="sum to 1"):
        inception_score(np.full([20, 10], np.nan))
