"""Runs of MeRGAN as training and testing left them on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lib.errors import UserError
from lib.mergan.methods import name_of
from lib.mergan.report import gallery
from lib.report import runs


class Run(NamedTuple):
    """What all runs have, what `--test` found of this one, and its images."""

    stored: runs.Run
    metrics: dict | None  # None: not tested
    gallery: gallery.Gallery

    @property
    def name(self) -> str:
        return self.stored.name

    @property
    def settings(self) -> dict:
        return self.stored.settings

    @property
    def method(self) -> str:
        return name_of(self.settings)

    @property
    def dataset(self) -> str:
        return self.settings["dataset"]

    @property
    def measures(self) -> dict[tuple[str, int], float]:
        """{(measure, tasks learned): figure}, empty for a run that was not tested."""
        return gallery.measures(self.metrics) if self.metrics else {}

    @property
    def title(self) -> str:
        """Name, method and budget, for a caption."""
        return f"{self.name} ({self.method}, iterations: {gallery.budget(self.settings)})"


def of(run: runs.Run) -> Run:
    """Raises `UserError` for settings that training, and metrics that testing did not write."""
    return Run(run, _metrics(run.directory / "metrics.json"), gallery.Gallery(run.directory, run.settings))


def read(directory: Path, name: str) -> Run:
    return of(runs.read(directory, name))


def _metrics(path: Path) -> dict | None:
    if not path.exists():
        return None
    metrics = runs.read_json(path, dict)
    try:
        gallery.measures(metrics), gallery.class_accuracies(metrics), gallery.circumstances(metrics)
        gallery.budget({"iterations": metrics["iterations"]})
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"{path} is not what --test writes; run --test again") from error
    return metrics


def classes(shown: Sequence[Run]) -> tuple[str, ...]:
    """What comparable runs learn, in the order of learning: a shorter run learns the first of them."""
    return max((run.gallery.classes for run in shown), key=len)
