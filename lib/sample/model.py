"""What `load` gives: a trained generator, asked for images in the same way whatever its system."""

import operator
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.errors import UserError

_SHOWN = 20  # names in a message


class Drawn(NamedTuple):
    """Generated images, and what they were made of."""

    images: np.ndarray  # uint8 [n, height, width, channels], grey or RGB, 0..255
    labels: np.ndarray  # int32 [n]: MeRGAN's class in the order of learning, memoryGAN's slot, the VAE's latent class
    z: np.ndarray  # float32 [n, size]: the latent vectors that the generator was given


class Model:
    """A trained generator. It computes in float32, whatever its run did.

    Attributes:
      names: what images can be asked for by: names of the classes learned (MeRGAN), numbers of the slots (memoryGAN) or
        of the latent classes (Lifelong VAE); a label is a place in it.
      batch: images of a call, unless told otherwise.
      z_size: size of a latent vector.
      parameters: numbers that the generator has learned, with its moving statistics.
    """

    by = "class"  # or slot: what images are asked for by

    def __init__(self, source: Path, names: Iterable[str], shape: tuple[int, int, int], z_size: int, batch: int,
                 parameters: int = 0):
        self.source, self.names, self.shape, self.z_size, self.batch = source, tuple(names), shape, z_size, batch
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.source)!r}, {self.by}: {shown(self.names)})"

    def sample(self, classes: Iterable[int | str] | None = None, count: int = 64, seed: int = 0, *,
               slots: Iterable[int] | None = None, batch: int | None = None) -> Drawn:
        """Generated images, in memory.

        Args:
          classes: by name or number; None: all (MeRGAN's learned ones, the VAE's latent ones).
          count: images in all, spread evenly over the classes (the first ones get one more where it does not go up).
          seed: the same seed and batch give the same images of a class, whatever the count and the other classes.
          slots: of memoryGAN, in place of classes; None: drawn as in training, by p(c | v = 1).
          batch: images that pass the generator together; None: as many as in training. Another one gives other images:
            MeRGAN's batch norm takes the statistics of this very batch.

        Raises:
          UserError: a class or slot that is not there.
        """
        return Drawn(*map(np.concatenate, zip(*self.stream(classes, count, seed, slots=slots, batch=batch))))

    def stream(self, classes=None, count: int = 64, seed: int = 0, *, slots=None, batch=None) -> Iterator[Drawn]:
        """The same, a batch or less at a time, so that the memory does not depend on the count."""
        for name, number in (("count", count), ("batch", batch)):
            if number is not None and number < 1:
                raise UserError(f"--{name}={number}: has to be at least 1")
        return self._draw(self._wanted(classes, slots, count), seed, batch or self.batch)

    @property
    def input_side(self) -> int:
        """Height and width of the images that `reconstructed` need not resize; `UserError` without a posterior."""
        raise self._no_posterior()

    def reconstructed(self, images: np.ndarray, seed: int = 0, *, batch: int | None = None) -> Iterator[Drawn]:
        """What a VAE makes of images uint8 [n, h, w, 1 or 3] by way of their posterior, in their order.

        Labels are their most probable latent classes (-1: there are none), z is drawn from their posterior.
        """
        raise self._no_posterior()

    def _no_posterior(self) -> UserError:
        return UserError(f"{self.source}: {type(self).__name__} has no posterior to reconstruct from; a VAE has")

    def file(self, label: int, number: int) -> str:
        """Path of image `number` of a folder of samples: one folder per class, as data sets have it."""
        return f"{self.names[label]}/{number:06d}.png" if self.names else f"{number:06d}.png"

    def _draw(self, wanted: dict[int | None, int], seed: int, batch: int) -> Iterator[Drawn]:
        """`wanted`: {label: count}; None stands for what training would draw.

        Only full batches are generated, and what is too much is cut: a smaller last batch would have other statistics.
        """
        for label, count in wanted.items():
            for number, start in enumerate(range(0, count, batch)):
                drawn = self._batch(label, number, seed, batch)
                yield Drawn(*(column[:count - start] for column in drawn))

    def _batch(self, label: int | None, number: int, seed: int, batch: int) -> Drawn:
        """Batch `number` of a label."""
        raise NotImplementedError

    def _wanted(self, classes, slots, count: int) -> dict[int | None, int]:
        kind, asked = ("slot", slots) if slots is not None else ("class", classes)
        if asked is not None and kind != self.by:
            raise UserError(f"{self.source}: {type(self).__name__} has no choice of {kind}; ask it by {self.by}")
        asked = self._default() if asked is None else dict.fromkeys(map(self._number, asked))
        if not asked:
            raise UserError(f"no {self.by} is asked for; there is {shown(self.names)}")
        each, more = divmod(count, len(asked))
        return {label: each + (place < more) for place, label in enumerate(asked) if each or place < more}

    def _default(self) -> Iterable[int | None]:
        return range(len(self.names)) or [None]

    def _number(self, name: int | str) -> int:
        """The place of a name, or of a number as it is."""
        if name in self.names:
            return self.names.index(name)
        try:
            number = int(name) if isinstance(name, str) else operator.index(name)
            if 0 <= number < len(self.names):
                return number
        except (TypeError, ValueError):
            pass
        raise UserError(f"{self.source}: no {self.by} {name}; there is {shown(self.names)}")


def shown(names: Iterable[str]) -> str:
    """Names for a message; of many, the first and the last."""
    names = tuple(names)
    return ", ".join(names) or "none" if len(names) <= _SHOWN else f"{names[0]} to {names[-1]}"
