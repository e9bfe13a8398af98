"""Inception score (Salimans et al. 2016): are single images of a clear class, and all images of many classes?"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from lib.errors import UserError

SPLITS = 10  # a score depends on it


class Score(NamedTuple):
    """Between 1 (all images alike to the classifier) and the number of classes."""

    mean: float
    deviation: float  # population standard deviation over the splits


def inception_score(probabilities: np.ndarray, splits: int = SPLITS) -> Score:
    """exp(E KL(p(y|x) || p(y))) over consecutive parts of the images, in float64.

    Args:
      probabilities: p(y|x) [n, classes] of each image. Images should come in random order: each of the `splits` parts
        has a p(y) of its own.

    Raises `UserError` for fewer images than parts, and for rows that are not probabilities.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if len(probabilities) < splits:
        raise UserError(f"inception score: {len(probabilities)} images for {splits} splits; generate more")
    if not (np.all(probabilities >= 0) and np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-3)):
        raise UserError("inception score: class probabilities must be at least 0 and sum to 1 for each image")
    scores = []
    for part in np.split(probabilities, [len(probabilities) * k // splits for k in range(1, splits)]):
        divergences = rel_entr(part, part.mean(axis=0)).sum(axis=1)
        scores.append(np.exp(divergences.mean()))
    return Score(float(np.mean(scores)), float(np.std(scores)))
