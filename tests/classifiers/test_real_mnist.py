"""On real MNIST the evaluation classifier must be good enough to judge others."""

import os
from pathlib import Path

import numpy as np
import pytest

from lib.classifiers import real_images
from lib.classifiers.features import predict
from lib.classifiers.pretrained import evaluation_classifier

DATA = os.environ.get("MRG_DATA", "")


@pytest.mark.slow
@pytest.mark.skipif(not (Path(DATA) / "mnist").is_dir() or not DATA, reason="MRG_DATA names no folder with mnist/")
def test_reaches_98_percent(tmp_path):
    classifier = evaluation_classifier("mnist", DATA, tmp_path)
    test = real_images.load("mnist", "test", DATA)
    assert len(test.images) == 10000
    assert np.mean(predict(classifier, test.images) == test.labels) >= 0.98
