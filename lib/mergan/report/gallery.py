"""What the report shows of a MeRGAN run: its method, its figures and the published ones, and its images as arrays."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib import pictures
from lib.classifiers import pretrained
from lib.data import own
from lib.errors import UserError
from lib.mergan.checkpoint import finished, last_prefix, restore
from lib.mergan.config import DATASETS, Config
from lib.mergan.methods import METHODS as SEQUENTIAL
from lib.mergan.networks import networks_of
from lib.mergan.samples import GRID, samples_of
from lib.metrics import frechet
from lib.report import sections
from lib.run.settings import of_stored

PUBLISHED = "mergan"  # key of the paper's figures in lib/reproduce/published.json

# In the paper's order.
METHODS = {
    "JT": "joint training, all classes at once (one network, tested under each number of tasks as in the original)",
    "SFT": "sequential fine tuning",
    **{method.name: method.meaning for method in reversed(SEQUENTIAL)},
}
_TUNED = {"learning_rate": "learning rate", "consolidation_factor": "EWC factor"}


def budget(settings: dict) -> str:
    """How long a run trained, and with what that the paper has otherwise."""
    departures = [f"{words} {settings[name]:g}" for name, words in _TUNED.items()
                  if settings.get(name, getattr(Config, name)) != getattr(Config, name)]
    return ", ".join([f"{settings['iterations']} {'in all' if settings.get('joint') else 'per task'}", *departures])


def published(figures: dict, dataset: str) -> dict[tuple[str, int], dict[str, float]]:
    """{(measure, tasks learned): {method: figure}} of the paper, empty for a data set that it does not have."""
    table1, table2 = figures["table1_accuracy_percent"], figures["table2_lsun_after_4_tasks"]
    if dataset in table1:
        return {("accuracy [%]", tasks): table1[dataset][f"{tasks}_tasks"] for tasks in (5, 10)}
    if dataset == "lsun":
        return {("accuracy [%]", 4): table2["accuracy_percent"],
                ("reverse accuracy [%]", 4): table2["reverse_accuracy_percent"],
                ("FID (Inception-v3)", 4): table2["FID"]}
    return {}


def measures(metrics: dict) -> dict[tuple[str, int], float]:
    """The same of a run's `metrics.json`: every number of a tested task, accuracies and their changes in percent."""
    found = {}
    for entry in metrics["tasks"]:
        for name, value in entry.items():
            if name == "task" or not isinstance(value, (int, float)):
                continue
            name = name.removeprefix("average_").replace("_", " ")
            if name.endswith(("accuracy", "forgetting", "backward transfer")):
                name, value = f"{name} [%]", 100.0 * value
            found[name, entry["task"]] = value
    return found


def circumstances(metrics: dict) -> list[list[str]]:
    """[figure, what it depends on] of what `metrics.json` holds beside the figures; older ones have nothing of it."""
    judge = metrics.get("classifier")
    rows = [["accuracy", pretrained.told(judge)]] if judge else []
    made = metrics.get("provenance")
    if made:
        rows.append(["all", f"{made['date']}, {made['seconds']:.0f} s on {made['device']}: {made['command']}"])
    for entry in metrics["tasks"]:
        if "fid" in entry:
            known = entry["fid"]
            words = frechet.circumstances(known["real_images"], known["generated_images"], known["features"])
            rows.append([f"FID after {entry['task']} tasks", f"{words}; {known['real_training_images']} real training "
                         f"images get {known['distance_of_real_training_images']:.4g}"])
    return rows


def class_accuracies(metrics: dict) -> dict[int, dict[str, float]]:
    """{tasks learned: {class: accuracy in percent}}; joint training is not tested class by class."""
    return {entry["task"]: {name: 100.0 * value for name, value in entry["accuracy"].items()}
            for entry in metrics["tasks"] if "accuracy" in entry}


class Sample(NamedTuple):
    """A moment at which training drew sample pictures of all classes learned so far."""

    learned: int  # tasks, with the one that is being learned
    iteration: int


class Gallery:
    """The images of one run. `learned` counts tasks from 1; classes are numbered from 0 in the order of learning.

    Raises `UserError` for settings that training did not write.
    """

    def __init__(self, directory: Path, settings: dict):
        if settings.get("dataset") not in [*DATASETS, own.NAME]:
            raise UserError(f"{directory}/settings.json: unknown data set {settings.get('dataset')!r}; "
                            f"known: {', '.join(DATASETS)}")
        if not isinstance(settings.get("iterations"), int):
            raise UserError(f"{directory}/settings.json names no number of iterations; it is not what training wrote")
        self.config = of_stored(Config, settings)
        self.directory = Path(directory)
        self._samples = samples_of(self.config)
        self._networks, self._loaded = None, None

    @property
    def classes(self) -> tuple[str, ...]:
        """Those that the run learns."""
        return self.config.data.classes if self.config.joint else self.config.data.classes[:self.config.tasks]

    @property
    def conditional(self) -> bool:
        """Whether the generator is told the class; otherwise a classifier sorts what it generates."""
        return self._samples.conditional

    def finished(self) -> list[int]:
        """Numbers of learned tasks after which there is a checkpoint; joint training learns all of them at once."""
        return [self._samples.learned(task) for task in finished(self.directory, self.config)]

    def images(self, learned: int, label: int, count: int) -> np.ndarray:
        """Images [count, h, w, c] in [-1, 1] of a class by the generator as it was after `learned` tasks.

        They come in batches like the sample pictures', since an image depends on its batch: the fixed noise of seeds 0,
        1, ..., the same in every run. An unconditional generator may give fewer images than asked for.
        """
        self._load(learned)
        found = []
        # Enough for a class that is a fiftieth of what an unconditional generator gives.
        for seed in range(10 + count // 2):
            found.extend(self._samples.of_class(label, learned, self._samples.fixed_noise(seed)))
            if len(found) >= count:
                break
        side, channels = self.config.data.side, self.config.data.channels
        return np.asarray(found[:count], np.float32).reshape(-1, side, side, channels)

    def classes_by_latents(self, learned: int, count: int) -> list[list[np.ndarray]]:
        """For each learned class at most `count` pictures uint8 [h, w, c] of the same latent vectors."""
        return [list(pictures.truncated_pixels(self.images(learned, label, count)).astype(np.uint8))
                for label in range(learned)]

    def _load(self, learned: int) -> None:
        if not self._networks:
            self._networks = networks_of(self.config)
            self._samples = samples_of(self.config, self._networks)
        if self._loaded != learned:
            restore(last_prefix(self.directory, self.config, learned - 1), self.config, self._networks)
            self._loaded = learned

    def samples(self) -> list[Sample]:
        """When training drew pictures, in the order of training."""
        names = {path.name for path in (self.directory / "samples").glob("*.png")}
        moments = {Sample(*moment) for moment in map(self._samples.moment, names) if moment}
        return sorted(moment for moment in moments if names.issuperset(self._samples.files(*moment)))

    def sample_rows(self, sample: Sample, count: int, labels=None) -> list[list[np.ndarray]]:
        """For each of the classes (default: all learned) the first `count` pictures uint8 [h, w, 3] of a moment.

        They are as training drew them: each class's picture stretched to its own extremes, joint training's all
        together. An unconditional generator's are rows of its one picture.
        """
        names = self._samples.files(*sample)
        tiles = functools.cache(lambda file: self._tiles(names[file]))
        rows = map(self._samples.row, range(self._samples.rows(sample.learned)) if labels is None else labels)
        return [list(tiles(file)[part][:count]) for file, part in rows]

    def _tiles(self, name: str) -> np.ndarray:
        """The images uint8 [n, h, w, 3] of a sample picture."""
        path, side, columns = self.directory / "samples" / name, self.config.data.side, self._samples.columns
        pixels = sections.pixels(path)
        if pixels.shape != (GRID * side, columns * side, 3):
            raise UserError(f"{path} is {list(pixels.shape)}, not a grid of {GRID} x {columns} images of {side} x "
                            f"{side} pixels; remove it to leave it out")
        return pixels.reshape(GRID, side, columns, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 3)
