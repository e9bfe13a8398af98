"""Runs as training and testing left them on disk, and who knows how to show them."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lib import files
from lib.errors import UserError
from lib.run import log

# What each system's `settings.json` calls it -> the module that shows its runs, which offers what
# `lib.mergan.gallery` does: METHODS, PUBLISHED, method, budget, published, measures, class_accuracies, Gallery.
GALLERIES = {"MeRGAN": "lib.mergan.gallery"}

_PUBLISHED = Path(__file__).parent.parent / "reproduce/published.json"


class Run(NamedTuple):
    name: str  # what tables and captions call it
    settings: dict
    metrics: dict | None  # None: not tested
    log: list[dict]  # lines of log.jsonl; none: no log
    system: ModuleType
    gallery: object  # the system's Gallery of this run

    @property
    def method(self) -> str:
        return self.system.method(self.settings)

    @property
    def dataset(self) -> str:
        return self.settings["dataset"]

    @property
    def measures(self) -> dict[tuple[str, int], float]:
        """{(measure, tasks learned): figure}, empty for a run that was not tested."""
        return self.system.measures(self.metrics) if self.metrics else {}

    @property
    def title(self) -> str:
        """Name, method and budget, for a caption."""
        return f"{self.name} ({self.method}, iterations: {self.system.budget(self.settings)})"


def read(directory: Path, name: str) -> Run:
    """The run in `directory`; raises `UserError` if there is none that a report can be made of."""
    directory = Path(directory)
    path = directory / "settings.json"
    if not path.is_file():
        raise UserError(f"{directory} holds no run (no settings.json); give the directory that training wrote, "
                        f"result/...")
    settings = files.read_json(path)
    system = settings.get("system") if isinstance(settings, dict) else None
    if system not in list(GALLERIES):
        raise UserError(f"{path}: no report for system {system!r}; there is one for {', '.join(GALLERIES)}")
    module = importlib.import_module(GALLERIES[system])
    return Run(name, settings, _metrics(directory / "metrics.json", module), log.read(directory / "log.jsonl"), module,
               module.Gallery(directory, settings))


def _metrics(path: Path, system: ModuleType) -> dict | None:
    if not path.exists():
        return None
    metrics = files.read_json(path)
    try:
        system.measures(metrics), system.class_accuracies(metrics)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not what --test writes; run --test again") from error
    return metrics


def read_all(directories: list[str]) -> list[Run]:
    """The runs of several directories, called by their last part where that tells them apart."""
    paths = list({Path(directory).resolve(): Path(directory) for directory in directories}.values())
    last = [path.resolve().name for path in paths]
    return [read(path, name if last.count(name) == 1 else str(path)) for path, name in zip(paths, last)]


def groups(runs: list[Run]) -> dict[tuple[str, str], list[Run]]:
    """Runs that can be compared: those of one system on one data set, under the names of both."""
    found = {}
    for run in runs:
        found.setdefault((run.settings["system"], run.dataset), []).append(run)
    return found


def classes(runs: list[Run]) -> tuple[str, ...]:
    """What comparable runs learn, in the order of learning: a shorter run learns the first of them."""
    return max((run.gallery.classes for run in runs), key=len)


def published_figures(system: ModuleType) -> dict:
    """What `lib/reproduce/published.json` holds of a system's paper."""
    return files.read_json(_PUBLISHED)[system.PUBLISHED]
