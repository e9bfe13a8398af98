"""The run that is kept in `results/`: TF1's checkpoints, whose images are the digits that they were asked to be."""

import numpy as np
import pytest

from lib import load, tf1
from lib.classifiers import real_images
from lib.tf1 import models
from tests.process import ROOT

KEPT = ROOT / "results/mergan-mnist-RA"


@pytest.mark.parametrize("task", [5, 10])
def test_its_checkpoints_are_of_the_papers_model(task):
    assert models.recognise(tf1.read(KEPT / f"model/WGAN_GP.model{task - 1}-1000")) == "mergan-mnist"


@pytest.mark.parametrize("task", [5, 10])
def test_its_images_are_nearest_to_the_mean_of_their_own_class(task, real_mnist):
    """Which is so of 82 % of the real test images."""
    real = real_images.load("mnist", "train", str(real_mnist))
    means = np.stack([real.images[real.labels == label].mean(axis=0) for label in range(task)])
    drawn = load(KEPT, task=task).sample(count=64 * task)
    distances = ((drawn.images[:, None].astype(np.float32) - means) ** 2).sum(axis=(2, 3, 4))
    assert np.mean(distances.argmin(axis=1) == drawn.labels) > 0.75
