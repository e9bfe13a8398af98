"""A run's rotated distributions come in the order of the golden file."""

import numpy as np

from lvae import distributions
from lvae.config import EXPERIMENTS, Config
from tests.golden import records
from tests.process import ROOT

ORDER = records.read(ROOT / "tests/golden/figures/lvae_rotations.json")["cases"]["mnist"]["order"]


def test_a_class_comes_at_every_angle_before_the_next(fashion):
    config = Config("fashion_dnn", EXPERIMENTS["fashion_dnn"].architecture, sequential=True, rotate=("fashion",))
    course = distributions.load(config, str(fashion))
    assert [(part.name, part.label) for part in course.distributions] == [
        (f"fashion {label}" + (f" at {angle}" if angle else ""), label) for label, angle in ORDER]
    for part in course.distributions:
        np.testing.assert_array_equal(part.train.labels, part.label)


def test_the_published_run_of_32_visits_reaches_the_third_class():
    """32 distributions are the ten upright classes, two classes at all angles and the third at two."""
    config = Config("mnist", EXPERIMENTS["mnist"].architecture, sequential=True, batch_size=1, min_interval=1)
    visits = [ORDER[visit.distribution] for visit in distributions.schedule(config, len(ORDER))]
    assert visits == ORDER[:32] and visits[-1] == [2, 45]
