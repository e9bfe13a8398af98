"""Accuracies of a classifier whose answers are known beforehand."""

import numpy as np
import tensorflow as tf

from lib.metrics import accuracy


def by_brightness(images: tf.Tensor) -> tf.Tensor:
    """Logits [n, 10] that are highest for a tenth of the brightness of the first pixel."""
    return -tf.abs(images[:, 0, 0, :1] / 10.0 - tf.range(10, dtype=tf.float32))


def images_of(labels: np.ndarray) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, [len(labels), 4, 4, 1], dtype=np.uint8)
    images[:, 0, 0, 0] = 10 * labels
    return images


def test_predictions_keep_their_order_over_several_batches():
    labels = np.random.default_rng(1).integers(10, size=1234)
    assert np.array_equal(accuracy.predict(by_brightness, images_of(labels)), labels)


def test_equal_logits_count_as_the_first_class():
    assert accuracy.predict(lambda x: tf.zeros([len(x), 10]), images_of(np.array([3, 4]))).tolist() == [0, 0]


def test_accuracy_is_the_share_of_hits():
    labels = np.repeat(np.arange(10), 60)
    images = images_of(labels)
    wrong = labels.copy()
    wrong[:45] = 9
    wrong[60:75] = 3
    assert accuracy.accuracy(by_brightness, images, wrong) == 540 / 600


def test_class_accuracies_count_each_label_alone():
    shown, wanted = np.array([0, 0, 0, 5, 6, 6, 6, 6]), np.array([0, 0, 6, 5, 6, 6, 5, 6])
    assert accuracy.class_accuracies(by_brightness, images_of(shown), wanted) == {0: 1.0, 5: 0.5, 6: 0.75}
