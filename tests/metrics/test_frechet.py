"""Moments against NumPy, distances against closed forms and against SciPy's matrix root, all in float64."""

import numpy as np
import pytest
from scipy import linalg

from lib.classifiers.features import Extractor
from lib.errors import UserError
from lib.metrics import frechet


def flat(name: str = "pixels") -> Extractor:
    return Extractor(name, lambda images: np.asarray(images).reshape(len(images), -1))


def moments(mean: np.ndarray, covariance: np.ndarray, count: int = 100) -> frechet.Moments:
    return frechet.Moments(count, np.asarray(mean, np.float64), np.asarray(covariance) * (count - 1))


def random_covariance(size: int, seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).standard_normal([size, size])
    return factor @ factor.T / size


def sample_with(mean: np.ndarray, covariance: np.ndarray, count: int, seed: int) -> np.ndarray:
    """A sample [count, d] whose own mean and covariance are exactly these."""
    x = np.random.default_rng(seed).standard_normal([count, len(mean)])
    x -= x.mean(axis=0)
    whitened = linalg.solve_triangular(linalg.cholesky(np.cov(x.T), lower=True), x.T, lower=True).T
    return whitened @ linalg.cholesky(covariance, lower=True).T + mean


@pytest.mark.parametrize("sizes", [[1000], [1, 999], [333, 333, 334], [10] * 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_do_not_depend_on_the_batches(sizes, dtype):
    # A mean far from zero: sums of squares in float32 would lose every digit of the covariance.
    features = (1e4 + np.random.default_rng(0).standard_normal([1000, 5]) * [1, 2, 3, 4, 5]).astype(dtype)
    seen = None
    for part in np.split(features, np.cumsum(sizes)[:-1]):
        seen = frechet.update(seen, part)
    assert seen.count == 1000
    np.testing.assert_allclose(seen.mean, features.astype(np.float64).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(seen.covariance, np.cov(features.astype(np.float64).T), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("count", [400, 20])
def test_a_sample_has_no_distance_to_itself(count):
    # 20 images and 50 features: a singular covariance.
    images = np.random.default_rng(1).standard_normal([count, 5, 10, 1]) * 30
    result = frechet.fid(flat(), [images], [images[:7], images[7:]])
    assert abs(result.distance) < 1e-6


def test_gaussians_against_the_closed_form():
    # N(0, I) and N(m, S): |m|^2 + tr(I + S - 2 S^(1/2)).
    size = 12
    mean, covariance = np.linspace(-1, 2, size), random_covariance(size, 2)
    expected = mean @ mean + np.sum((1 - np.sqrt(np.linalg.eigvalsh(covariance))) ** 2)
    real = sample_with(np.zeros(size), np.eye(size), 300, 3)
    generated = sample_with(mean, covariance, 500, 4)
    for first, second in ((real, generated), (generated, real)):
        assert frechet.fid(flat(), [first[:100], first[100:]], [second]).distance == pytest.approx(expected, abs=1e-4)


def test_one_dimension_by_hand():
    # (2 - 5)^2 + (3 - 7)^2
    assert frechet.frechet_distance(moments([2], [[9]]), moments([5], [[49]])) == pytest.approx(25)


def test_covariances_that_do_not_commute_against_the_matrix_root():
    first, second = random_covariance(8, 5), random_covariance(8, 6)
    assert np.linalg.norm(first @ second - second @ first) > 1
    root = linalg.sqrtm(first @ second).real
    expected = 4.0 + np.trace(first + second - 2 * root)
    gap = np.zeros(8)
    gap[3] = 2
    assert frechet.frechet_distance(moments(gap, first), moments(np.zeros(8), second)) == pytest.approx(expected)


def test_singular_covariances_in_different_planes():
    # Variances along the first two and the last two of three axes: only the middle one overlaps.
    first, second = np.diag([1.0, 4.0, 0.0]), np.diag([0.0, 9.0, 16.0])
    assert frechet.frechet_distance(moments(np.zeros(3), first), moments(np.zeros(3), second)) == pytest.approx(
        1 + (2 - 3) ** 2 + 16)


def test_the_name_tells_the_features():
    images = np.random.default_rng(7).standard_normal([10, 2, 2, 1])
    assert frechet.fid(flat("mnist classifier features"), [images], [images]).name == "FID (mnist classifier features)"
    assert frechet.fid(flat("Inception-v3"), [images], [images]).name == "FID (Inception-v3)"


def test_too_few_images_and_numbers_that_are_none():
    images = np.ones([3, 2, 2, 1])
    with pytest.raises(UserError, match="two images"):
        frechet.image_moments(flat(), [images[:1]])
    with pytest.raises(UserError, match="two images"):
        frechet.image_moments(flat(), [])
    images[1, 0, 0, 0] = np.nan
    with pytest.raises(UserError, match="not finite"):
        frechet.image_moments(flat(), [images])
