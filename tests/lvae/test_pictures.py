"""The names under which a model's pictures are kept."""

import numpy as np
import pytest

from lvae import pictures
from lvae.config import Architecture, Config
from lvae.data import Samples, as_float
from lvae.distributions import Course, Distribution
from lvae.learner import Learner


@pytest.mark.parametrize("tests, expected", [
    (["mnist"], {"20d_reconstr", "2d_cluster"}),
    (["mnist", "svhn"], {"mnist_reconstr", "svhn_reconstr", "mnist_2d_cluster", "svhn_2d_cluster"})])
def test_each_test_set_has_pictures_of_its_own(tmp_path, tests, expected):
    learner = Learner(Config("x", Architecture("dense", (5, 6, 1), "bernoulli", (8,), (6,)), latent_size=2))
    images = np.random.default_rng(0).uniform(size=(30, 5, 6, 1)).astype(np.float32)
    part = Samples(images, np.arange(30, dtype=np.int32) % 3, as_float)
    pictures.draw(tmp_path, Course([Distribution("one", 0, part, part)], dict.fromkeys(tests, part)), learner)
    of_model = f"_{learner.model().prefix}.png"
    assert {path.name.removesuffix(of_model) for path in tmp_path.glob(f"*{of_model}")} == expected
