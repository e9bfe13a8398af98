"""Share of images that a classifier recognises as what they should be."""

import numpy as np

from lib.metrics.features import Classifier, batches, to_input


def predict(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    """Predicted classes int64 [n] (first maximum) of images [n, h, w, c], uint8 in 0..255 or float in [-1, 1]."""
    return np.concatenate([classifier(to_input(batch)).numpy().argmax(axis=1) for batch in batches(images)])


def accuracy(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    """Share in 0..1 of images whose predicted class is their label (int [n], in the classifier's numbering)."""
    return float(np.mean(predict(classifier, images) == labels))


def class_accuracies(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """The same for each label that occurs, in increasing order."""
    hits = predict(classifier, images) == labels
    return {int(label): float(np.mean(hits[labels == label])) for label in np.unique(labels)}
