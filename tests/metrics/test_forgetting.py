"""Against a matrix computed by hand; above the diagonal stands what must not count."""

import numpy as np
import pytest

from lib.metrics.forgetting import average_accuracy, backward_transfer, forgetting

NAN = np.nan
MATRIX = np.array([[0.8, NAN, NAN],
                   [0.9, 0.6, NAN],
                   [0.5, 0.7, 1.0]])


def test_of_three_tasks():
    assert average_accuracy(MATRIX) == pytest.approx((0.5 + 0.7 + 1.0) / 3)
    assert backward_transfer(MATRIX) == pytest.approx(((0.5 - 0.8) + (0.7 - 0.6)) / 2)
    assert forgetting(MATRIX) == pytest.approx(((0.9 - 0.5) + (0.6 - 0.7)) / 2)  # what improves counts below 0


def test_of_two_tasks_forgetting_is_minus_backward_transfer():
    assert forgetting(MATRIX[:2, :2]) == pytest.approx(-0.1) and backward_transfer(MATRIX[:2, :2]) == pytest.approx(0.1)
