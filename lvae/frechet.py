"""Frechet distance of a VAE's samples, and of its reconstructions, from the test images of all distributions so far.

In the features of a classifier that is trained here on the experiment's own images, so distances can be compared
between the runs of one experiment and with nothing else. It tells distributions apart and the classes within them:
otherwise samples of one permutation of MNIST would be as good as samples of all. The PyTorch version averages the
distances of mini-batches, which depends on their size; this is one distance between as many samples as there are test
images, up to a limit.

Reconstructions are samples whose latent variables come from the posterior instead of the prior. If they are near and
samples are far, the decoder knows the images but much of the prior lies between them.
"""

import functools
from collections.abc import Iterable, Iterator

import numpy as np

from lib import randomness
from lib.classifiers import networks, pretrained
from lib.classifiers.features import batches, judge_features
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import Judge, Recipe
from lib.data.batching import evenly
from lib.metrics import frechet
from lvae import distributions, samples
from lvae.config import Config
from lvae.data import Samples
from lvae.distributions import Course
from lvae.learner import Learner

_TRAINED, _COMPARED = 60_000, 10_000  # images at most


def _kinds(course: Course) -> dict[tuple[int, int], int]:
    """(distribution, class in it) -> number of this kind of image."""
    pairs = [(number, int(label)) for number, distribution in enumerate(course.distributions)
             for label in np.unique(distribution.train.labels)]
    return {pair: kind for kind, pair in enumerate(pairs)}


def circumstances(numbers: dict) -> str:
    """What a distance depends on ("frechet_depends_on" of `Distance.measure`), in words."""
    words = frechet.circumstances(*(numbers[name] for name in ("real_images", "generated_images", "features")))
    return (f"{words}; {numbers['real_training_images']} real training images get "
            f"{numbers['distance_of_real_training_images']:.4g}")


class Distance:
    """Measures one experiment's models. Trains the classifier the first time; later it is read from its file."""

    def __init__(self, config: Config, course: Course, pretrain_dir: str = "pretrain"):
        self._config = config
        self._course = course
        kinds = _kinds(course)
        build = functools.partial(networks.small_network, config.architecture.body == "dense", len(kinds))
        kind = Judge("classifier", build, Recipe.of_judge(3, learning_rate=1e-3))
        train = self._labelled([part.train for part in course.distributions], kinds)
        test = self._labelled([part.test for part in course.distributions], kinds)
        judge = pretrained.judge_of(f"lvae_{config.experiment}", train, test, pretrain_dir, kind)
        self._judge = judge
        self._distribution_of = np.array([number for number, _ in kinds])  # of each of the classifier's classes
        self._extractor = judge_features(judge, f"{config.experiment} classifier features")

    def _labelled(self, parts: list[Samples], kinds: dict[tuple[int, int], int]) -> RealImages:
        """Pixels and kinds of all distributions' images, or of some evenly among them."""
        everything = distributions.joined(parts)
        labels = np.concatenate([[kinds[number, label] for label in part.labels]
                                 for number, part in enumerate(parts)]).astype(np.int32)
        rows = evenly(len(everything), _TRAINED)
        images = everything.take(rows, self._config.architecture.input_shape)
        return RealImages(samples.rounded_pixels(self._config, images), labels[rows])

    def measure(self, learner: Learner) -> dict:
        """Of the present student: {"frechet_distance": of samples, "frechet_reconstructions": float,
        "samples_by_distribution": the share of samples that look like each distribution, "frechet_features": whose,
        "frechet_depends_on": numbers of images and features, and what as many real training images get}.
        """
        numbers = list(dict.fromkeys(learner.visited) if self._config.sequential
                       else range(len(self._course.distributions)))
        parts = [*self._parts(self._course.test_images(numbers), _COMPARED)]
        count = sum(map(len, parts))
        target = self._real_moments(parts)
        drawn = [*samples.of_prior(learner, count, "frechet")]
        reconstructions = self._moments(self._reconstructions(learner, parts))
        known = self._real_moments(self._parts(self._course.training_images(numbers), count))
        return {"frechet_distance": frechet.frechet_distance(target, self._moments(drawn)),
                "frechet_reconstructions": frechet.frechet_distance(target, reconstructions),
                "samples_by_distribution": self._shares(drawn),
                "frechet_features": self._extractor.name,
                "frechet_depends_on": {
                    "real_images": target.count, "generated_images": count, "features": len(target.mean),
                    "distance_of_real_training_images": frechet.frechet_distance(target, known),
                    "real_training_images": known.count, "classifier": pretrained.about(self._judge)}}

    def of_distribution(self, learner: Learner, number: int, label: int | None) -> dict[str, float]:
        """Of one distribution's test images: {"frechet_reconstructions": float} and, where a latent class is the
        distribution's, {"frechet_distance": of samples of that class}."""
        parts = [*self._parts(self._course.distributions[number].test, _COMPARED)]
        target = self._real_moments(parts)
        found = {"frechet_reconstructions": frechet.frechet_distance(
            target, self._moments(self._reconstructions(learner, parts)))}
        if label is None:
            return found
        drawn = samples.of_prior(learner, sum(map(len, parts)), "frechet of a class", label)
        return {"frechet_distance": frechet.frechet_distance(target, self._moments(drawn))} | found

    def _parts(self, real: Samples, most: int) -> Iterator[np.ndarray]:
        """At most so many images, evenly over all, in the networks' input shape, in batches."""
        for rows in batches(evenly(len(real), most), samples.AT_ONCE):
            yield real.take(rows, self._config.architecture.input_shape)

    def _real_moments(self, parts: Iterable[np.ndarray]) -> frechet.Moments:
        return self._moments(samples.rounded_pixels(self._config, part) for part in parts)

    def _moments(self, images: Iterable[np.ndarray]) -> frechet.Moments:
        return frechet.image_moments(self._extractor, images)

    def _reconstructions(self, learner: Learner, parts: list[np.ndarray]) -> Iterator[np.ndarray]:
        for batch, images in enumerate(parts):
            yield samples.reconstructed(learner, images, lambda name: randomness.key(
                self._config.seed, f"frechet reconstructions/{name}", len(learner.visited), batch))

    def _shares(self, images) -> list[float]:
        """What share of images the classifier takes for each distribution, in their order."""
        kinds = np.concatenate([np.argmax(self._judge(part.astype(np.float32), training=False), axis=1)
                                for part in images])
        counts = np.bincount(self._distribution_of[kinds], minlength=len(self._course.distributions))
        return (counts / len(kinds)).tolist()
