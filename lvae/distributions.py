"""What a run learns, distribution after distribution: which images, in which order, and when the next one comes."""

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Callable, NamedTuple

import numpy as np

from lib import randomness
from lib.classifiers import real_images
from lib.data import own, sources
from lib.data.origin import of_arrays, of_images
from lib.errors import UserError
from lib.run.place import Origin
from lvae import data
from lvae.config import EXPERIMENTS, Config, Experiment
from lvae.data import Samples

PIXELS = 784
# What the original calls a whole data set.
_WHOLE = {"mnist": 99997, "svhn": 99998, "cifar10": 99999, "fashion": 9996, "digits": 9995}
_AS_DISTRIBUTED = {"mnist": "mnist28", "fashion": "fashion28"}  # where a data set's own name stands for padded images
_SWITCH_RANGE, _SWITCH_VALUE = 13, 2
_BLOCK = 4096  # iterations whose numbers are drawn together


class Distribution(NamedTuple):
    """One thing to learn."""

    name: str
    label: int  # in class_list.csv: the class, or the original's number for a whole data set
    train: Samples
    test: Samples


class Visit(NamedTuple):
    """A distribution's turn in a run, which may come back to it later."""

    distribution: int  # its number in the course
    iterations: int


class Course(NamedTuple):
    """All distributions of an experiment, and the test sets of its result files."""

    distributions: list[Distribution]
    tests: dict[str, Samples]  # file name prefix -> test set: all classes, from the start
    origin: Origin = Origin("", "")

    def training_images(self, numbers: Iterable[int]) -> Samples:
        """The training images of these distributions."""
        return joined([self.distributions[number].train for number in numbers])

    def test_images(self, numbers: Iterable[int]) -> Samples:
        """The test images of these distributions."""
        return joined([self.distributions[number].test for number in numbers])


def pixel_permutation(number: int) -> np.ndarray:
    """int [784]: which pixel of an image each pixel of permuted MNIST's distribution `number` (from 1) is."""
    return np.random.RandomState(number).permutation(PIXELS)


# --- loading --------------------------------------------------------------------------------------------------------


def prepared(name: str, split: str, arrays: sources.Arrays, convolutional: bool) -> Samples:
    """A split of a data set, prepared as the original does for dense or convolutional bodies."""
    images, labels = arrays
    if name == "mnist":
        # The original resizes pixels that are no bytes any more, so every image is stretched first.
        images = data.resize(data.unit(images[..., 0]))[..., None] if convolutional else images
        return Samples(images, labels, data.unit)
    if name == "fashion":
        images = data.adaptive_threshold(images[..., 0])
        images = data.enlarge(images) if convolutional else images
        return Samples(images[..., None], labels, data.as_float)
    if name == "svhn":
        prepare = data.per_pixel_range(images)
        rows = data.hold_out(len(labels))[0] if split == "train" else slice(None)
        return Samples(images[rows], labels[rows], prepare)
    return Samples(images, labels, data.unit)


def rotated(samples: Samples, angle: int, *, exact: bool) -> Samples:
    """Turned images. The original forgets to bring Fashion's back to [0, 1] (exact)."""
    images = samples.prepare(samples.values)
    images = data.rotate(images[..., 0], angle)[..., None] if images.shape[-1] == 1 else data.rotate(images, angle)
    return Samples(images, samples.labels, data.as_float if exact else data.unit)


def permuted(samples: Samples, number: int) -> Samples:
    """The pixels of flat 28 x 28 images in another order."""
    order = pixel_permutation(number)
    shape = samples.values.shape
    return dataclasses.replace(samples, values=samples.values.reshape(len(samples), PIXELS)[:, order].reshape(shape))


def _source(experiment: Experiment, name: str, data_dir: str) -> tuple[Samples, Samples, Origin]:
    """Training and test images, and where they come from."""
    source, convolutional = _AS_DISTRIBUTED.get(name, name), experiment.architecture.body == "cnn"
    arrays = {split: sources.load(source, split, data_dir) for split in ("train", "test")}
    return (*(prepared(name, split, of_split, convolutional) for split, of_split in arrays.items()),
            of_arrays(sources.described(source, data_dir), [arrays["train"]]))


def _by_class(name: str, train: Samples, test: Samples) -> list[Distribution]:
    labels = np.unique(train.labels)
    return [Distribution(f"{name} {label}", int(label), train.of_class(label), test.of_class(label))
            for label in labels]


def with_rotations(parts: list[Distribution], *, exact: bool) -> list[Distribution]:
    """Behind the upright ones, as in the original: one class at all angles, then the next."""
    return parts + [part._replace(name=f"{part.name} at {angle}", train=rotated(part.train, angle, exact=exact),
                                  test=rotated(part.test, angle, exact=exact))
                    for part in parts for angle in data.ANGLES]


def load(config: Config, data_dir: str) -> Course:
    """Read everything an experiment needs. Raises `UserError` where data are missing or broken."""
    experiment = EXPERIMENTS[config.experiment]
    if config.experiment == own.NAME:
        return _own_course(own.opened(data_dir, config.architecture.image_shape[0]))
    if experiment.permutes:
        return _permuted_course(config, *_source(experiment, "mnist", data_dir))
    distributions, tests, origins = [], {}, []
    for position, name in enumerate(experiment.sources):
        train, test, found = _source(experiment, name, data_dir)
        origins.append(found)
        whole = experiment.whole or (len(experiment.sources) > 1 and position == 0)
        parts = ([Distribution(name, _WHOLE[name], train, test)] if whole else _by_class(name, train, test))
        if name in config.rotate:
            parts = with_rotations(parts, exact=config.tf1_exact and name == "fashion")
        distributions += parts
        tests[experiment.csv_prefixes[position]] = test
    for part in distributions:
        if len(part.train) < 1 or len(part.test) < 1:
            raise UserError(f"{part.name}: {len(part.train)} training and {len(part.test)} test images; "
                            "the data are incomplete")
    return Course(distributions, tests, Origin(*("; ".join(of_all) for of_all in zip(*origins))))


def _own_course(found: own.Own) -> Course:
    """A distribution for each class of one's own images."""
    splits = [[Samples(*of_class, data.unit) for of_class in real_images.by_class(found, split)]
              for split in ("train", "test")]
    parts = [Distribution(name, label, train, test)
             for label, (name, train, test) in enumerate(zip(found.classes, *splits))]
    origin = (of_images(found.source, found.train) if found.is_large else
              of_arrays(found.source, [(part.train.values, part.train.labels) for part in parts]))
    return Course(parts, {"": joined(splits[1])}, origin)


def _permuted_course(config: Config, train: Samples, test: Samples, found: Origin) -> Course:
    parts = [Distribution(f"permutation {number}", number, permuted(train, number), permuted(test, number))
             for number in range(1, config.permutations + 1)]
    return Course(parts, {"mnist_": joined([part.test for part in parts])}, found)


def joined(samples: list[Samples]) -> Samples:
    """Several sets as one; they share one way of being prepared."""
    first = samples[0]
    if any(other.prepare is not first.prepare or other.values.shape[1:] != first.values.shape[1:]
           for other in samples):
        # Sets of different kinds meet as finished pixels.
        channels = max(other.values.shape[-1] for other in samples)
        finished = [np.broadcast_to(images, (*images.shape[:-1], channels))
                    for images in (other.prepare(other.values) for other in samples)]
        return Samples(np.concatenate(finished), np.concatenate([other.labels for other in samples]), data.as_float)
    join = real_images.FileImages.joined if isinstance(first.values, real_images.FileImages) else np.concatenate
    return Samples(join([other.values for other in samples]), np.concatenate([other.labels for other in samples]),
                   first.prepare)


def trained_on(config: Config, visited: list[int], count: int) -> list[int]:
    """Numbers of the distributions whose images the present visit learns from, by the run's method.

    Args:
      visited: numbers of the distributions visited so far, the present one last.
      count: of all distributions.
    """
    if not config.sequential or config.method == "full_batch":
        return list(range(count))
    return list(dict.fromkeys(visited)) if config.method == "progressive" else visited[-1:]


# --- order ----------------------------------------------------------------------------------------------------------


class Stream:
    """Images of one distribution in an endless order: epoch after epoch, each in a permutation of its own.

    A batch that reaches past an epoch's end takes the rest of the old order and the start of the new one.

    Args:
      permutation: epoch -> permutation of the rows.
    """

    def __init__(self, count: int, permutation: Callable[[int], np.ndarray]):
        self._count = count
        self._permutation = functools.lru_cache(maxsize=1)(permutation)  # the next batches go on in the last epoch

    def rows(self, start: int, count: int) -> np.ndarray:
        """Rows number start .. start + count - 1 of the order."""
        epochs, places = np.divmod(np.arange(start, start + count), self._count)
        return np.concatenate([self._permutation(epoch)[places[epochs == epoch]]
                               for epoch in np.unique(epochs).tolist()])


def stream(config: Config, visit: int, count: int) -> Stream:
    """The run's own order of `count` images in its visit number `visit` (from 0)."""
    return Stream(count, lambda epoch: randomness.host_generator(
        config.seed, "order", visit, epoch).permutation(count))


# --- switching ------------------------------------------------------------------------------------------------------


def switches(batch_size: int, min_interval: int, count: int, draw: Callable[[int], int]) -> Iterator[tuple[int, int]]:
    """(iteration, number of the next distribution) of every switch between `count` distributions, without end.

    At every iteration one of 13 * batch_size numbers is drawn; a certain one of them ends a distribution that has
    lasted longer than `min_interval` iterations. Distributions follow each other in a circle.

    Args:
      draw: iteration -> the number drawn there.
    """
    current, iteration = 0, min_interval + 1  # what is drawn before changes nothing
    while True:
        if draw(iteration) == _SWITCH_VALUE:
            current = (current + 1) % count
            yield iteration, current
            iteration += min_interval
        iteration += 1


def schedule(config: Config, count: int) -> list[Visit]:
    """All visits of a sequential run to `count` distributions."""
    @functools.lru_cache(maxsize=1)
    def drawn(block: int) -> np.ndarray:
        high = _SWITCH_RANGE * config.batch_size
        return randomness.host_generator(config.seed, "switch", block).integers(high, size=_BLOCK)

    def draw(iteration: int) -> int:
        return int(drawn(iteration // _BLOCK)[iteration % _BLOCK])

    visits, current, began = [], 0, 0
    for iteration, following in switches(config.batch_size, config.min_interval, count, draw):
        visits.append(Visit(current, iteration - began))
        if len(visits) >= config.max_dist_swaps:
            return visits
        current, began = following, iteration
    return visits


def plan(config: Config, course: Course) -> list[Visit]:
    """All visits of a run; one that is not sequential has one visit, to everything."""
    count = len(course.distributions)
    if config.sequential:
        return schedule(config, count)
    images = sum(len(course.distributions[number].train) for number in trained_on(config, [0], count))
    return [Visit(0, config.epochs * max(images // config.batch_size, 1))]


def new_classes(config: Config, course: Course, visited: list[int]) -> int:
    """How many latent classes the last of these visits adds: one, or none where its class was learned before.

    With compress_rotations a class counts by its label, so that a rotated copy is no new class.
    """
    known = [course.distributions[number].label if config.compress_rotations else number for number in visited]
    return int(known[-1] not in known[:-1])
