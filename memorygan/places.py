"""Where a memoryGAN run lies: the original's three directories, and what they take on the disk."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib import files
from lib.run import place, provenance
from lib.run.options import Options
from memorygan import checkpoint
from memorygan.config import Command, Config
from memorygan.step import Model

SAMPLE_BATCHES = 100  # per file of samples


class Places(NamedTuple):
    """The directories of a run."""

    logs: Path
    checkpoints: Path
    samples: Path


def of_logs(logs: Path) -> Places:
    """Of the run whose logs lie in `logs/<exp>/<stamp>`; the others lie beside them."""
    return Places(logs, *(Path(kind, *logs.parts[1:]) for kind in ("checkpoint", "samples")))


def below(directory: Path) -> Places:
    """Of a worker that keeps nothing in the end."""
    return Places(directory, directory / "checkpoint", directory / "samples")


def test_of(logs: Path) -> str:
    """The command line that evaluates a run."""
    return provenance.command("--is_train=False", f"--load_cp_dir={of_logs(logs).checkpoints}")


def known(exp: str, options: Options) -> list[Path]:
    """The logs of an experiment's runs, the newest first; none where a new run is asked for."""
    return sorted(Path("logs", exp).glob("*"), reverse=True) if options.resume == "auto" else []


def found(config: Config, exp: str, settings: dict, options: Options, reserves: bool = True) -> Path | None:
    """Where to train, as `place.chosen` has it; a new run is stamped with the time."""
    free = (Path("logs", exp, stamp) for stamp in _stamps(config))
    return place.chosen(known(exp, options), settings, free, reserves)


def _stamps(config: Config) -> Iterator[str]:
    """The original's name of a run that starts now; of one that starts in the same second, the next second's."""
    while True:
        yield f"{time.strftime('%Y-%m-%d-%H:%M:%S')}_{config.model}_{config.lr:g}"
        time.sleep(1.0)


class Space:
    """What a run's checkpoints and samples take on the disk."""

    def __init__(self, config: Config, command: Command, model: Model):
        first = max(command.save_from, 2)  # as the first epoch that ends is called
        periodic = [epoch for epoch in range(first, config.epoch) if epoch % command.save_every == 0]
        saves = len(periodic) + 1  # the last is written in any case
        self.kept = min(saves, command.keep) if command.keep else saves
        self.most = min(saves, self.kept + 1)  # the new one is there before the old one goes
        drawn = SAMPLE_BATCHES * config.batch_size * (config.data.side**2 * config.data.channels + config.z_dim)
        values = sum(int(np.prod(variable.shape)) for variable in checkpoint.variables(model).values())
        self.of_save = 4 * (values + drawn)  # bytes
        self._epochs = config.epoch

    @property
    def whole(self) -> str:
        """The run and its size, in words."""
        return (f"all {self._epochs} epochs, with {files.size(self.kept * self.of_save)} of checkpoints and samples "
                f"({self.kept} of {files.size(self.of_save)})")

    def require(self, checkpoints: Path) -> None:
        """Raise `UserError` where the disk cannot hold what is still to come."""
        there = len(list(checkpoints.glob("model-*.index")))
        files.require_space(checkpoints, max(self.most - there, 0) * self.of_save, "checkpoints and samples",
                            "free some space, or write fewer with --save_every, or keep the newest N with --keep N")
