"""What metrics see of images: features by name, of real and generated images alike."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lib import pictures
from lib.classifiers.networks import Classifier

_BATCH = 500


class Extractor(NamedTuple):
    """What turns images into numbers for a metric, with the name that has to stand beside the metric."""

    name: str
    extract: Callable  # images [n, h, w, c], uint8 in 0..255 or float in [-1, 1] -> float array [n, d]


def as_float(images) -> tf.Tensor:
    """Real images (uint8 in 0..255) and generated ones (float in [-1, 1]) alike, as float32 in [-1, 1]."""
    images = tf.convert_to_tensor(images)
    return pictures.to_float(images) if images.dtype == tf.uint8 else tf.cast(images, tf.float32)


def to_input(images) -> tf.Tensor:
    """Real images (uint8 in 0..255) and generated ones (float in [-1, 1]) alike, as the classifiers take them."""
    return pictures.to_classifier_input(as_float(images))


def classifier_features(classifier: Classifier, dataset: str) -> Extractor:
    """The last hidden layer of a data set's evaluation classifier."""
    return Extractor(f"{dataset} classifier features", lambda images: classifier.features(to_input(images)).numpy())


def judge_features(judge: keras.Model, name: str) -> Extractor:
    """The last hidden layer of a classifier that takes pixels 0..255 as they are (`networks.small_network`)."""
    hidden = keras.Model(judge.input, judge.layers[-2].output)
    return Extractor(name, lambda images: hidden(images.astype(np.float32), training=False).numpy())


def batches(images: np.ndarray, size: int = _BATCH) -> Iterator[np.ndarray]:
    """Consecutive parts of at most `size` images."""
    for start in range(0, len(images), size):
        yield images[start:start + size]


def predict(classifier: Callable, images: np.ndarray) -> np.ndarray:
    """Predicted classes int64 [n] (first maximum) of images [n, h, w, c], uint8 in 0..255 or float in [-1, 1].

    `classifier`: an evaluation classifier, or what like one makes logits of its input.
    """
    return np.concatenate([classifier(to_input(batch)).numpy().argmax(axis=1) for batch in batches(images)])
