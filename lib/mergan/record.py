"""What a MeRGAN run leaves behind as the original does: printed lines, curves, pictures, checkpoints."""

import math
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lib import files, tf1
from lib.mergan.checkpoint import checkpoint_variables, model_prefix
from lib.mergan.config import Config
from lib.mergan.networks import Networks
from lib.mergan.pictures import Pictures
from lib.mergan.step import Optimizers
from lib.run.runner import Event, Run, log_event

_CHECKPOINT_EVERY = 4000
_PICTURE_EVERY = 200
_DRAWING_SHARE = 20  # curves are drawn at a log point if the last drawing took less than a 20th of the time since


class Record:
    """Of a run at work."""

    def __init__(self, config: Config, networks: Networks, optimizers: Optimizers, run: Run):
        self._config, self._run = config, run
        self._checkpointed = checkpoint_variables(config, networks, optimizers)
        self.pictures = Pictures(config, networks, run)
        self._told = run.first_step + run.iteration - 1  # the last step told of
        self._drawn, self._took = -math.inf, 0.0  # when the curves were drawn last, and the seconds that it took
        self._shown: int | None = None  # up to which step they were

    def events(self, task: int) -> list[Event]:
        """What is told, drawn and written in a task."""
        return [log_event(self._run, self.log_point),
                Event(self._draws, lambda iteration: self.pictures.samples(task, iteration)),
                Event(self._keeps, lambda iteration: self.checkpoint(task, iteration))]

    def _draws(self, iteration: int) -> bool:
        """Every 200th, the powers of two and the last."""
        return (iteration % _PICTURE_EVERY == 0 or iteration & (iteration - 1) == 0
                or iteration == self._config.iterations - 1)

    def _keeps(self, iteration: int) -> bool:
        return iteration % _CHECKPOINT_EVERY == 0 or iteration == self._config.iterations - 1

    def log_point(self, step: int, means: dict[str, float]) -> None:
        """Printed means, `log.pkl` and the curves."""
        seconds = [taken for number, taken in self._run.log.seconds.items() if number > self._told]
        self._told = step
        means = means | ({"time": float(np.mean(seconds))} if seconds else {})
        tqdm.write("\n".join([f"iter {step}", *(f"{name}\t{mean:.6f}" for name, mean in means.items())]))
        sys.stdout.flush()  # a log file should grow while the run does
        self._run.log.write_pickle(self._run.directory / "log.pkl")
        if time.monotonic() - self._drawn > _DRAWING_SHARE * self._took:
            self._draw_curves()

    def checkpoint(self, task: int, iteration: int) -> None:
        tf1.write(model_prefix(self._run.directory, self._config, task, iteration), self._checkpointed, meta=True)
        self._draw_curves()

    def _draw_curves(self) -> None:
        """They take longer than many iterations: not at every log point, but with every checkpoint."""
        if self._shown == self._told:
            return
        self._shown, started = self._told, time.monotonic()
        self._run.log.draw_curves()
        self._drawn = time.monotonic()
        self._took = self._drawn - started


def make_directories(directory: Path) -> None:
    for kind, folder in (("sample", "samples"), ("checkpoint", "model")):
        path = directory / folder
        if not path.exists():
            print(f"*** create {kind} dir {path}")
            files.make_directory(path)


def print_settings(settings: dict) -> None:
    print("Uppercase local vars:")
    for name, value in sorted(settings.items()):
        print(f"\t{name.upper()}: {value}")
