"""On real MNIST the evaluation classifier must be good enough to judge others."""

import numpy as np
import pytest

from lib.classifiers import real_images
from lib.classifiers.features import predict
from lib.classifiers.pretrained import evaluation_classifier


@pytest.mark.slow
def test_reaches_98_percent(tmp_path, real_mnist):
    classifier = evaluation_classifier("mnist", str(real_mnist), tmp_path)
    test = real_images.load("mnist", "test", str(real_mnist))
    assert len(test.images) == 10000
    assert np.mean(predict(classifier, test.images) == test.labels) >= 0.98
