"""Inception-v3 with weights from a file, and the one line where there are none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib.classifiers import inception
from lib.errors import UserError
from tests.process import environment


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="nothing.h5: no such file; .*--inception_weights"):
        inception.features(str(tmp_path / "nothing.h5"))


@pytest.mark.slow
def test_a_file_that_is_no_weights(tmp_path):
    file = tmp_path / "notes.h5"
    file.write_text("no weights")
    with pytest.raises(UserError, match="notes.h5.*--inception_weights") as error:
        inception.features(str(file))
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_features_are_those_of_the_given_weights(tmp_path):
    model = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg")
    file = tmp_path / "inception.weights.h5"
    model.save_weights(file)
    extractor = inception.features(str(file))
    assert extractor.name == "Inception-v3"
    grey = np.random.default_rng(0).integers(0, 256, [2, 32, 32, 1], dtype=np.uint8)
    colour = np.repeat(grey, 3, axis=-1)
    features = extractor.extract(grey)
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(extractor.extract(colour), features, rtol=1e-5)
    np.testing.assert_allclose(extractor.extract(colour / np.float32(127.5) - 1), features, rtol=1e-3, atol=1e-5)
    resized = tf.image.resize(keras.applications.inception_v3.preprocess_input(colour.astype(np.float32)), [299, 299])
    np.testing.assert_allclose(model(resized, training=False), features, rtol=1e-3, atol=1e-5)
    assert np.ptp(features, axis=0).max() > 0


@pytest.mark.slow
def test_without_network_one_line_says_what_to_do(place, tmp_path):
    program = ("from lib.errors import UserError\nfrom lib.classifiers import inception\n"
               "try:\n    inception.features()\nexcept UserError as error:\n    print('line:', error)\n")
    closed = "http://127.0.0.1:9"
    output = place.run(["-c", program], env=environment(KERAS_HOME=str(tmp_path), https_proxy=closed,
                                                        HTTPS_PROXY=closed))
    lines = [line for line in output.stdout.splitlines() if line.startswith("line: ")]
    assert len(lines) == 1, output.stderr
    assert "no download" in lines[0] and "--inception_weights" in lines[0]
    assert not list(tmp_path.rglob("*.h5"))
