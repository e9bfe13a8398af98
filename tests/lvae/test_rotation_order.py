"""The order of rotated distributions, from the original's rule: a class at every angle, then the next class.

The rule, of its run scripts: the classes come first, upright and in their order; then, for each class in turn, its
copies at 30, 45, 70, 90, 130, 165, 200, 250, 295 and 335 degrees.
"""

import numpy as np

from lvae import distributions
from lvae.config import EXPERIMENTS, Config

_ANGLES = (30, 45, 70, 90, 130, 165, 200, 250, 295, 335)


def test_a_class_comes_at_every_angle_before_the_next(fashion):
    config = Config("fashion_dnn", EXPERIMENTS["fashion_dnn"].architecture, sequential=True, rotate=("fashion",))
    course = distributions.load(config, str(fashion))
    upright = [(f"fashion {label}", label) for label in range(10)]
    turned = [(f"fashion {label} at {angle}", label) for label in range(10) for angle in _ANGLES]
    assert [(part.name, part.label) for part in course.distributions] == upright + turned
    for part in course.distributions:
        np.testing.assert_array_equal(part.train.labels, part.label)


def test_the_published_run_of_32_visits_reaches_the_third_class():
    """32 distributions are the ten upright classes, two classes at all angles and the third at two."""
    config = Config("mnist", EXPERIMENTS["mnist"].architecture, sequential=True, batch_size=1, min_interval=1)
    visits = distributions.schedule(config, 110)
    assert [visit.distribution for visit in visits] == list(range(32))
    assert divmod(31 - 10, len(_ANGLES)) == (2, 1)
