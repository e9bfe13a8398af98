"""Predictions of a classifier whose answers are known beforehand, and what images become on their way to one."""

import numpy as np
import tensorflow as tf

from lib.classifiers import features
from lib.classifiers.networks import build_classifier, small_network
from lib.classifiers.training import initialise


def by_brightness(images: tf.Tensor) -> tf.Tensor:
    """Logits [n, 10] that are highest for a tenth of the brightness of the first pixel."""
    return -tf.abs(images[:, 0, 0, :1] / 10.0 - tf.range(10, dtype=tf.float32))


def images_of(labels: np.ndarray) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, [len(labels), 4, 4, 1], dtype=np.uint8)
    images[:, 0, 0, 0] = 10 * labels
    return images


def test_predictions_keep_their_order_over_several_batches():
    labels = np.random.default_rng(1).integers(10, size=1234)
    assert np.array_equal(features.predict(by_brightness, images_of(labels)), labels)


def test_equal_logits_count_as_the_first_class():
    assert features.predict(lambda x: tf.zeros([len(x), 10]), images_of(np.array([3, 4]))).tolist() == [0, 0]


def test_real_and_generated_images_become_the_same_input():
    pixels = np.uint8([0, 1, 128, 254, 255]).reshape(1, 5, 1, 1)
    values = np.float32([-1, 2 / 255 - 1, 256 / 255 - 1, 508 / 255 - 1, 1]).reshape(1, 5, 1, 1)
    expected = [0, 1, 128, 254, 256]
    assert features.to_input(pixels).numpy().ravel().tolist() == expected
    assert features.to_input(values).numpy().ravel().tolist() == expected


def test_extractor_names_its_classifier_and_gives_the_last_hidden_layer():
    model = build_classifier("mnist")
    initialise(model, seed=1)
    extractor = features.classifier_features(model, "mnist")
    images = np.random.default_rng(5).integers(0, 256, [7, 32, 32, 1], dtype=np.uint8)
    activations = np.concatenate([extractor.extract(batch) for batch in features.batches(images, size=3)])
    assert extractor.name == "mnist classifier features"
    assert activations.shape == (7, 128)
    logits = activations @ model.head.kernel.numpy() + model.head.bias.numpy()
    np.testing.assert_allclose(logits, model(features.to_input(images)), rtol=1e-4, atol=1e-2)


def test_features_of_a_small_network_are_what_its_head_makes_logits_of():
    model = small_network(True, 3, (4, 4, 1), seed=2)
    extractor = features.judge_features(model, "a name")
    images = np.random.default_rng(6).integers(0, 256, [5, 4, 4, 1], dtype=np.uint8)
    kernel, bias = model.layers[-1].get_weights()
    assert extractor.name == "a name"
    np.testing.assert_allclose(extractor.extract(images) @ kernel + bias, model(images.astype(np.float32)), rtol=1e-4,
                               atol=1e-5)
