"""The Frechet distance of a VAE's samples."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import linalg

from lvae import distributions, frechet, samples
from lvae.config import EXPERIMENTS, Config
from lvae.data import Samples, unit
from lvae.distributions import Course, Distribution
from lvae.learner import Learner
from tests import written

CONFIG = Config("fashion_dnn", EXPERIMENTS["fashion_dnn"].architecture, sequential=True, latent_size=3)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    written.mnist_like(folder / "Fashion_data", 400, 200)
    return distributions.load(CONFIG, str(folder))


@pytest.fixture(scope="module")
def distance(course, tmp_path_factory):
    return frechet.Distance(CONFIG, course, str(tmp_path_factory.mktemp("pretrain")))


def _independent(real, generated):
    """Heusel et al.'s formula with SciPy's matrix root."""
    (m1, c1), (m2, c2) = ((x.mean(axis=0), np.cov(x, rowvar=False)) for x in (real, generated))
    return np.sum((m1 - m2)**2) + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2).real)


def test_the_distance_is_that_of_the_features_of_what_was_learned(course, distance):
    learner = Learner(CONFIG)
    learner.visited = [0, 3, 0]  # distribution 0 twice
    result = distance.measure(learner)
    assert result["frechet_features"] == "fashion_dnn classifier features"
    seen = [course.distributions[number].test for number in (0, 3)]
    images = np.concatenate([part.take(slice(None), (28, 28, 1)) for part in seen])
    generated = np.concatenate(list(samples.of_prior(learner, len(images), "frechet")))
    assert generated.shape == images.shape == (40, 28, 28, 1) and generated.dtype == np.uint8
    features = [distance._extractor.extract(part) for part in (np.rint(255 * images), generated)]
    # SciPy's root of a singular product is not exact.
    assert result["frechet_distance"] == pytest.approx(_independent(*features), rel=1e-3)


def test_samples_of_what_was_learned_are_nearer(course, distance):
    """A decoder that draws the mean of the test images against one that draws noise."""
    learner, mean = Learner(CONFIG), course.distributions[0].test.take(slice(None), (784,)).mean(axis=0)
    logits = np.log((mean + 1e-3) / (1 - mean + 1e-3))
    found = {}
    for name, output in (("mean", logits), ("noise", np.random.RandomState(0).normal(0, 5, 784))):
        learner.networks = learner.networks._replace(student=_Fixed(learner.networks.student.latents, output))
        found[name] = distance.measure(learner)["frechet_distance"]
    assert found["mean"] < 0.7 * found["noise"]


def test_reconstructions_are_near_and_samples_far_where_the_prior_misses_the_posterior(course, distance):
    """An encoder that hands the image on in z, and a decoder that draws it: only the prior knows nothing."""
    learner = Learner(dataclasses.replace(CONFIG, latent_size=784))
    learner.networks = learner.networks._replace(student=_Copier(learner.networks.student.latents))
    result = distance.measure(learner)
    assert result["frechet_reconstructions"] < 0.01 * result["frechet_distance"]


class _Copier:
    """z is the image, 0 as -10 and 1 as 10, almost without noise."""

    def __init__(self, latents):
        self.latents = latents

    def encoder(self, images, training=False):
        flat = tf.reshape(images, [len(images), 784])
        narrow = tf.fill(tf.shape(flat), -20.0)
        return tf.concat([narrow, 20.0 * flat - 10.0, tf.zeros([len(images), self.latents.classes])], axis=1)

    def decoder(self, z, training=False):
        return z[:, :784]


def test_each_sample_counts_for_the_distribution_that_it_looks_like(course, distance):
    """Images of distribution 3 in place of samples; the classifier is right about most of them."""
    shares = distance._shares([np.rint(255 * course.distributions[3].test.take(slice(None), (28, 28, 1)))])
    assert len(shares) == 10 and sum(shares) == pytest.approx(1.0)
    assert np.argmax(shares) == 3 and shares[3] > 0.5


class _Fixed:
    def __init__(self, latents, output):
        self.latents, self._output = latents, tf.constant(output, tf.float32)

    def encoder(self, images, training=False):
        return tf.zeros([images.shape[0], 2 * self.latents.continuous + self.latents.classes])

    def decoder(self, z, training=False):
        return tf.tile(self._output[None], [z.shape[0], 1])


def test_the_classifier_tells_distributions_and_their_classes_apart():
    def part(*labels):
        return Samples(np.zeros((len(labels), 1, 1, 1), np.uint8), np.array(labels, np.int32), unit)

    whole, digit = (Distribution("", 0, part(*labels), part(*labels)) for labels in ((2, 0, 1, 1), (1, 1)))
    assert frechet._kinds(Course([whole, digit, whole], {})) == {
        (0, 0): 0, (0, 1): 1, (0, 2): 2, (1, 1): 3, (2, 0): 4, (2, 1): 5, (2, 2): 6}


def test_the_same_noise_every_time(course, distance):
    learner = Learner(CONFIG)
    assert distance.measure(learner) == distance.measure(learner)


@pytest.mark.full
def test_convolutional_images_and_a_vae_without_classes(tmp_path):
    written.mnist_like(tmp_path / "Fashion_data", 60, 30)
    config = dataclasses.replace(CONFIG, experiment="fashion", architecture=EXPERIMENTS["fashion"].architecture,
                                 method="vanilla", sequential=False)
    course = distributions.load(config, str(tmp_path))
    result = frechet.Distance(config, course, str(tmp_path)).measure(Learner(config))
    assert np.isfinite(result["frechet_distance"]) and result["frechet_distance"] > 0
