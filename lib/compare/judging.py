"""One classifier for what all systems generate, and what it says of the samples of one."""

import functools
import time
from typing import NamedTuple

import numpy as np
from scipy.special import entr

from lib.classifiers import networks, pretrained
from lib.classifiers.features import batches, judge_features
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import Judge, Recipe
from lib.metrics import frechet

SIDE = 32  # pixels of all images that are judged

# (system, split) -> real images as the system learns them, brought to one form, and their classes
Real = dict[tuple[str, str], RealImages]


def fitted(images: np.ndarray) -> np.ndarray:
    """uint8 [n, h, w, c] of at most 32 x 32 -> [n, 32, 32, 1]: grey, with a black margin."""
    if images.shape[-1] == 3:
        images = np.rint(images.mean(axis=-1, keepdims=True)).astype(np.uint8)
    margins = [((SIDE - size) // 2, (SIDE - size + 1) // 2) for size in images.shape[1:3]]
    return np.pad(images, ((0, 0), *margins, (0, 0)))


class Judged(NamedTuple):
    shares: list[float]  # of the samples, by the class that the classifier takes them for
    effective_classes: float  # exp of the entropy of the shares: 1 to the number of classes
    fid: float
    samples: int


class Shared:
    """The classifier, trained on the real images of every system's form together the first time.

    Args:
      classes: how many.
    """

    def __init__(self, dataset: str, real: Real, classes: int):
        self._classes = classes
        self._real = real
        train, test = (self._together(split) for split in ("train", "test"))
        build = functools.partial(networks.small_network, False, classes)
        self._judge = pretrained.judge_of(f"compare_{dataset}", train, test, judge=Judge(
            "classifier", build, Recipe.of_judge(max(3, 60_000 // len(train.labels)), learning_rate=1e-3)))
        self._extractor = judge_features(self._judge, "shared classifier features")

    def _together(self, split: str) -> RealImages:
        parts = [part for (_, of), part in self._real.items() if of == split]
        return RealImages(np.concatenate([part.images for part in parts]),
                          np.concatenate([part.labels for part in parts]))

    @property
    def about(self) -> dict:
        """Which classifier, and its accuracy on the real test images of each system's form."""
        accuracy = {system: float(np.mean(self._predicted(part.images) == part.labels))
                    for (system, split), part in self._real.items() if split == "test"}
        return {**pretrained.about(self._judge), "accuracy_by_system": accuracy,
                "features": self._extractor.name}

    def _predicted(self, images: np.ndarray) -> np.ndarray:
        return pretrained.probabilities(self._judge, batches(images), mirrored=False).argmax(axis=1)

    def judged(self, system: str, images: np.ndarray) -> Judged:
        """What samples uint8 [n, 32, 32, 1] of a system are worth, beside real test images as it learns them."""
        shares = np.bincount(self._predicted(images), minlength=self._classes) / len(images)
        distance = frechet.fid(self._extractor, batches(self._real[system, "test"].images), batches(images)).distance
        return Judged(shares.tolist(), float(np.exp(entr(shares).sum())), distance, len(images))


def sampled(model, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """(images uint8 [count, 32, 32, 1], labels int32 [count], images per second) of a `lib.sample` model.

    The speed is that of a second drawing: the first one builds graphs.
    """
    model.sample(count=1)
    started = time.perf_counter()
    drawn = model.sample(count=count, seed=1)
    return fitted(drawn.images), drawn.labels, count / (time.perf_counter() - started)
