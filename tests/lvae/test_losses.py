"""Costs against SciPy's densities and closed forms."""

import dataclasses

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from lvae import losses
from lvae import posterior as q
from lvae.config import Architecture, Config
from lvae.networks import Latents

CONFIG = Config("x", Architecture("dense", (1, 1, 6), "bernoulli", (4,), (4,)))


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.mark.parametrize("name, density", [("normal", scipy.stats.norm), ("logistic", scipy.stats.logistic)])
def test_two_sided_likelihoods_are_the_densities(random, name, density):
    images, output = random.uniform(size=(5, 6)), random.standard_normal((5, 12))
    scale, location = 1e-6 + np.log1p(np.exp(output[:, :6])), output[:, 6:]
    expected = density.logpdf(images, location, scale).sum(axis=1)
    np.testing.assert_allclose(losses.LIKELIHOODS[name].log_likelihood(tf.constant(images), tf.constant(output)),
                               expected)
    np.testing.assert_allclose(losses.LIKELIHOODS[name].mean(tf.constant(output)), location)


def test_bernoulli_likelihood(random):
    images, logits = random.integers(0, 2, (5, 6)).astype(float), random.standard_normal((5, 6))
    expected = scipy.stats.bernoulli.logpmf(images, 1 / (1 + np.exp(-logits))).sum(axis=1)
    np.testing.assert_allclose(losses.bernoulli_log_likelihood(tf.constant(images), tf.constant(logits)), expected)


def test_gaussian_kl_against_samples():
    """E_q[ln q - ln p] of a million samples."""
    mean, scale, prior = np.array([0.3, -1.0]), np.array([0.5, 2.0]), (np.array([1.0, 0.0]), np.array([0.7, 1.5]))
    drawn = np.random.default_rng(0).normal(mean, scale, (1_000_000, 2))
    ratio = scipy.stats.norm.logpdf(drawn, mean, scale) - scipy.stats.norm.logpdf(drawn, *prior)
    ours = q.gaussian_kl(*(tf.constant(value[None]) for value in (mean, scale, *prior)))
    np.testing.assert_allclose(ours[0], ratio.sum(axis=1).mean(), rtol=0.01)


def test_uniform_classes_cost_nothing():
    np.testing.assert_allclose(q.kl_to_uniform(tf.zeros([2, 7])), 0.0, atol=1e-6)
    certain = q.kl_to_uniform(tf.constant([[50.0, 0.0, 0.0, 0.0]], tf.float64))
    np.testing.assert_allclose(certain, np.log(4.0))
    assert q.kl_to_uniform(tf.zeros([3, 0])).numpy().tolist() == [0.0] * 3


def test_agreeing_posteriors_are_consistent(random):
    logits = tf.constant(random.standard_normal((5, 3)))
    for formulas in ("tf1", "pytorch"):
        config = dataclasses.replace(CONFIG, formulas=formulas)
        np.testing.assert_allclose(losses.consistency(config, logits, logits), 0.0, atol=1e-12)


@pytest.mark.parametrize("formulas", ["tf1", "pytorch"])
def test_consistency_is_the_divergence_of_the_student_from_the_teacher_and_not_the_other_way_round(random, formulas):
    student, teacher = random.standard_normal((2, 5, 3))
    expected = scipy.stats.entropy(*(scipy.special.softmax(logits, axis=1) for logits in (student, teacher)), axis=1)
    config = dataclasses.replace(CONFIG, formulas=formulas)
    ours = losses.consistency(config, tf.constant(student), tf.constant(teacher))
    np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_an_unknown_class_is_punished_by_tf1_alone():
    student, teacher = tf.constant([[-20.0, 20.0]], tf.float64), tf.zeros([1, 1], tf.float64)
    tf1 = losses.consistency(CONFIG, student, teacher)
    np.testing.assert_allclose(tf1, np.log(1e6), rtol=1e-4)
    pytorch = losses.consistency(dataclasses.replace(CONFIG, formulas="pytorch"), student, teacher)
    np.testing.assert_allclose(pytorch, 0.0, atol=1e-12)


def test_continuous_information_is_zero_where_nothing_is_revealed(random):
    posterior = q.softplus_posterior(tf.constant(random.standard_normal((4, 8))), Latents(3, 2))
    np.testing.assert_allclose(losses.continuous_information(posterior, posterior), 0.0, atol=1e-12)


def test_clamps(random):
    values = tf.constant([3.0, -4.0])
    norm = losses.clamp(dataclasses.replace(CONFIG, mut_clamp_strategy="norm"), values)
    np.testing.assert_allclose(norm, [0.6, -0.8], rtol=1e-6)
    cut = losses.clamp(dataclasses.replace(CONFIG, mut_clamp_value=3.5), values)
    np.testing.assert_allclose(cut, [3.0, -3.5])
    np.testing.assert_allclose(losses.clamp(dataclasses.replace(CONFIG, mut_clamp_strategy="none"), values), values)
