"""Reverse accuracy: how well a classifier trained on generated images recognises real ones.

The MeRGAN paper's second measure: unlike the accuracy, it drops where the generated images of a class are all alike.
"""

import numpy as np

from lib.classifiers.features import predict
from lib.classifiers.networks import build_classifier
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import Recipe, recipe_of, train
from lib.data.own import Own


def reverse_accuracy(dataset: str | Own, generated: np.ndarray, generated_labels: np.ndarray, real: np.ndarray,
                     real_labels: np.ndarray, *, recipe: Recipe | None = None, seed: int = 0) -> float:
    """Share in 0..1 of real test images that the data set's classifier recognises after training on generated ones.

    For figures that can be compared, generate as many images as the real training set has, equally many per class.

    Args:
      generated, real: [n, h, w, c], uint8 in 0..255 or float in [-1, 1].
      generated_labels, real_labels: int [n], numbered alike.
      recipe: of the training; by default that of the classifier trained on real images.
    """
    classifier = build_classifier(dataset, seed=seed)
    train(classifier, RealImages(generated, generated_labels), recipe or recipe_of(dataset), seed=seed,
          title=f"{dataset} classifier on generated images")
    return float(np.mean(predict(classifier, real) == real_labels))
