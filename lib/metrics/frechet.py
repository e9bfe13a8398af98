"""Frechet distance between two sets of images: that of Gaussians fitted to their features (Heusel et al. 2017).

With the features of Inception-v3 it is known as FID. Every result carries the name of the features it was made with,
because figures of different features cannot be compared.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import linalg

from lib.classifiers.features import Extractor
from lib.errors import UserError


class Moments(NamedTuple):
    """First and second moments of features, in float64, whatever the features' own dtype."""

    count: int
    mean: np.ndarray  # [d]
    scatter: np.ndarray  # [d, d], sum of the outer squares of the deviations from the mean

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased estimate [d, d]. Singular if there are no more images than features, which the distance allows."""
        return self.scatter / (self.count - 1)


class Frechet(NamedTuple):
    name: str  # "FID (mnist classifier features)", "FID (Inception-v3)"
    distance: float
    real: int  # images on each side
    generated: int
    features: int  # numbers that an image is measured by

    @property
    def circumstances(self) -> str:
        """What the distance depends on beside the images' quality, in words."""
        return circumstances(self.real, self.generated, self.features)


def update(moments: Moments | None, features: np.ndarray) -> Moments:
    """Moments of what `moments` (None: nothing) have seen and of features [n, d] together.

    Deviations are taken from each batch's own mean before batches are joined (Chan, Golub, LeVeque 1979), so nothing
    cancels where means are large beside deviations.
    """
    features = np.asarray(features, np.float64)
    mean = features.mean(axis=0)
    deviations = features - mean
    batch = Moments(len(features), mean, deviations.T @ deviations)
    if moments is None:
        return batch
    count = moments.count + batch.count
    gap = batch.mean - moments.mean
    return Moments(count, moments.mean + gap * (batch.count / count),
                   moments.scatter + batch.scatter + np.outer(gap, gap) * (moments.count * batch.count / count))


def image_moments(extractor: Extractor, images: Iterable[np.ndarray]) -> Moments:
    """Moments of the features of a stream of image batches [n, h, w, c], uint8 in 0..255 or float in [-1, 1].

    Raises `UserError` for fewer than two images and for features that are not finite.
    """
    moments = None
    for batch in images:
        moments = update(moments, extractor.extract(batch))
    if moments is None or moments.count < 2:
        raise UserError(f"FID ({extractor.name}) needs at least two images on each side")
    if not np.isfinite(moments.scatter).all():
        raise UserError(f"FID ({extractor.name}): the features of some images are not finite; look at the images")
    return moments


def frechet_distance(real: Moments, generated: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    With any factors C = R R^T the trace of the last root is the sum of the singular values of R1^T R2, which stays
    exact for singular covariances, where a matrix root of C1 C2 does not.
    """
    gap = real.mean - generated.mean
    overlap = linalg.svdvals(_factor(real.covariance).T @ _factor(generated.covariance)).sum()
    return float(gap @ gap + np.trace(real.covariance) + np.trace(generated.covariance) - 2.0 * overlap)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """R [d, d] with R R^T = covariance."""
    variances, axes = linalg.eigh(covariance)
    return axes * np.sqrt(np.maximum(variances, 0.0))


def fid(extractor: Extractor, real: Iterable[np.ndarray], generated: Iterable[np.ndarray]) -> Frechet:
    """The distance of two streams of image batches, under its full name."""
    return between(extractor, image_moments(extractor, real), image_moments(extractor, generated))


def between(extractor: Extractor, real: Moments, generated: Moments) -> Frechet:
    """The same of what is known of both sides already."""
    return Frechet(f"FID ({extractor.name})", frechet_distance(real, generated), real.count, generated.count,
                   len(real.mean))


def circumstances(real: int, generated: int, features: int) -> str:
    """What a distance depends on beside the images' quality, with a warning where images are too few for it."""
    words = f"{real} real and {generated} generated images, {features} features"
    if min(real, generated) > features:
        return words
    return f"{words}; warning: no more images than features, so the distance is far too large"
