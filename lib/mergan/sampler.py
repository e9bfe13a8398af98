"""What `lib.sample` knows of MeRGAN: where a run's checkpoints lie, and images of the classes that one has learned."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lib import device, pictures, randomness
from lib.errors import UserError
from lib.mergan.checkpoint import finished, restore
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import networks_of
from lib.mergan.noise import draw_latent
from lib.mergan.samples import samples_of
from lib.run.settings import of_stored
from lib.sample.model import Drawn, Model

_PATIENCE = 10_000  # images among which none is of a class that is still wanted


class MeRGAN(Model):
    """A conditional generator. A class's images come in batches of this class alone, as `--test` generates them.

    Joint training generates all classes together, and deep generative replay, whose generator is not told a class,
    what its solver then sorts: of both, the images of the classes that were asked for are kept.
    """

    def __init__(self, prefix: Path, config: Config, learned: int):
        networks = networks_of(config)
        restore(prefix, config, networks)
        self._samples = samples_of(config, networks)
        self._generator = device.graph(networks.generator)
        data = config.data
        super().__init__(prefix, data.classes[:learned], (data.side, data.side, data.channels), NOISE,
                         self._samples.batch_size, networks.generator.count_params())

    def _draw(self, wanted, seed, batch) -> Iterator[Drawn]:
        if len(self._samples.shares(len(self.names))) == 1:
            return self._sorted(0, wanted, seed, batch)
        return (drawn for label, count in wanted.items() for drawn in self._sorted(label, {label: count}, seed, batch))

    def _sorted(self, label: int, wanted: dict[int, int], seed: int, batch: int) -> Iterator[Drawn]:
        """Images from batches that are asked for by a label, until there are as many of each class as are wanted."""
        left, number, in_vain = dict(wanted), 0, 0
        while any(left.values()):
            z = draw_latent(randomness.key(seed, "sample", label, number), batch)
            asked = self._samples.asked(label, batch)
            images = self._generator(z, asked)
            classes = self._samples.classes_of(images, asked, len(self.names)).numpy()
            rows = np.concatenate([np.flatnonzero(classes == one)[:count] for one, count in left.items()])
            left = {one: count - np.count_nonzero(classes[rows] == one) for one, count in left.items()}
            number, in_vain = number + 1, 0 if len(rows) else in_vain + batch
            if in_vain > _PATIENCE:
                missing = ", ".join(self.names[one] for one, count in left.items() if count)
                raise UserError(f"{self.source}: no image of {missing} among the last {in_vain} that were generated; "
                                "leave these classes out, or take a larger --batch")
            if len(rows):
                rows.sort()
                yield Drawn(pictures.rounded_pixels(images.numpy()[rows], unit_range=False),
                            classes[rows].astype(np.int32), z.numpy()[rows])


def states(directory: Path, settings: dict) -> dict[int, Path]:
    """{tasks learned: prefix of the checkpoint} of a run; joint training has learned all at once."""
    config = of_stored(Config, settings)
    return {samples_of(config).learned(task): prefix for task, prefix in finished(directory, config).items()}


def run_around(prefix: Path) -> Path:
    """The directory of the run that a checkpoint would lie in."""
    return prefix.absolute().parent.parent


def of_run(prefix: Path, settings: dict) -> MeRGAN:
    """A checkpoint of a run with these settings."""
    return _learned(prefix, of_stored(Config, settings | {"precision": "float32"}))


def of_checkpoint(prefix: Path, name: str) -> MeRGAN:
    """A checkpoint of one of the models of `interchange`."""
    program, _, dataset = name.partition("-")
    return _learned(prefix, Config(dataset, joint=program == "joint"))


def _learned(prefix: Path, config: Config) -> MeRGAN:
    """The file's name says which class was learned last; where it does not, all were."""
    last = re.fullmatch(r"WGAN_GP\.model(.+)-\d+", prefix.name)
    classes = config.data.classes
    known = last and last[1] in classes and not config.joint
    return MeRGAN(prefix, config, classes.index(last[1]) + 1 if known else len(classes))
