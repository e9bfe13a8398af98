"""What the report shows of a MeRGAN run: its method, its figures and the published ones, and its images as arrays."""

import dataclasses
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from lib import pictures, tf1
from lib.errors import UserError
from lib.mergan.config import DATASETS, Config
from lib.mergan.networks import build_networks
from lib.mergan.step import restore
from lib.mergan.train import fixed_noise, model_prefix

PUBLISHED = "mergan"  # key of the paper's figures in lib/reproduce/published.json

METHODS = {
    "JT": "joint training, all classes at once (one network, tested under each number of tasks as in the original)",
    "SFT": "sequential fine tuning",
    "EWC": "elastic weight consolidation",
    "DGR": "deep generative replay, whose own classifier says of what class an image is",
    "JTR": "MeRGAN, joint training with replay",
    "RA": "MeRGAN, replay alignment",
}
_SWITCHES = {"joint": "JT", "consolidation": "EWC", "generative_replay": "DGR", "joint_replay": "JTR",
             "replay_alignment": "RA"}
_TUNED = {"learning_rate": "learning rate", "consolidation_factor": "EWC factor"}

_GRID = 10  # rows and columns of a sample picture; joint training's has a column per class
_SAMPLE_NAME = re.compile(r"Task_(\d+)_Iter_(\d+)(?:_(.+))?\.png")
_JOINT_SAMPLE_NAME = re.compile(r"samples_(\d+)\.png")


def method(settings: dict) -> str:
    """The paper's short name of what a run trained with; combinations are joined by a plus."""
    return " + ".join(name for switch, name in _SWITCHES.items() if settings.get(switch)) or "SFT"


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
    """The same of a run's `metrics.json`: every number of a tested task, accuracies in percent."""
    found = {}
    for entry in metrics["tasks"]:
        for name, value in entry.items():
            if name == "task" or not isinstance(value, (int, float)):
                continue
            name = name.removeprefix("average_").replace("_", " ")
            if name.endswith("accuracy"):
                name, value = f"{name} [%]", 100.0 * value
            found[name, entry["task"]] = value
    return found


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
        if settings.get("dataset") not in list(DATASETS):
            raise UserError(f"{directory}/settings.json: unknown data set {settings.get('dataset')!r}; "
                            f"known: {', '.join(DATASETS)}")
        known = {field.name for field in dataclasses.fields(Config)}
        if not isinstance(settings.get("iterations"), int):
            raise UserError(f"{directory}/settings.json names no number of iterations; it is not what training wrote")
        self.config = Config(**{name: value for name, value in settings.items() if name in known})
        self.directory = Path(directory)
        self._networks, self._loaded = None, None

    @property
    def classes(self) -> tuple[str, ...]:
        """Those that the run learns."""
        return self.config.data.classes if self.config.joint else self.config.data.classes[:self.config.tasks]

    @property
    def categories(self) -> tuple[int, ...]:
        """The evaluation classifier's number of each class."""
        return self.config.data.classifier_classes

    @property
    def conditional(self) -> bool:
        """Whether the generator is told the class; otherwise a classifier sorts what it generates."""
        return not self.config.generative_replay

    def finished(self) -> list[int]:
        """Numbers of learned tasks after which there is a checkpoint; joint training learns all of them at once."""
        config = self.config
        tasks = [task for task in range(config.tasks)
                 if tf1.exists(model_prefix(self.directory, config, task, config.iterations - 1))]
        return [len(self.classes) if config.joint else task + 1 for task in tasks]

    def images(self, learned: int, label: int, count: int, seed: int = 0) -> np.ndarray:
        """Images [count, h, w, c] in [-1, 1] of a class by the generator as it was after `learned` tasks.

        They come in the batches of the run's sample pictures, since an image depends on its batch: the fixed noise of
        seeds `seed`, `seed` + 1, ... The same seed is the same noise in every run. An unconditional generator may give
        fewer images than asked for.
        """
        self._load(learned)
        found = []
        # Enough for a class that is a fiftieth of what an unconditional generator gives.
        for batch in range(10 + count // 2):
            found.extend(self._batch(label, learned, fixed_noise(dataclasses.replace(self.config, seed=seed + batch))))
            if len(found) >= count:
                break
        side, channels = self.config.data.side, self.config.data.channels
        return np.asarray(found[:count], np.float32).reshape(-1, side, side, channels)

    def classes_by_latents(self, learned: int, count: int, seed: int = 0) -> list[list[np.ndarray]]:
        """For each learned class at most `count` pictures uint8 [h, w, c] of the same latent vectors."""
        return [list(pictures.truncated_pixels(self.images(learned, label, count, seed)).astype(np.uint8))
                for label in range(learned)]

    def _load(self, learned: int) -> None:
        if self._loaded == learned:
            return
        config = self.config
        self._networks = self._networks or build_networks(
            config.data, replay=not config.joint, solver=config.generative_replay, dtype=config.precision)
        prefix = model_prefix(self.directory, config, 0 if config.joint else learned - 1, config.iterations - 1)
        restore(prefix, config, self._networks)
        self._loaded = learned

    def _batch(self, label: int, learned: int, noise: tf.Tensor) -> np.ndarray:
        """The images of a class among those of one batch of noise."""
        if self.config.joint:
            classes = len(self.classes)
            labels = tf.tile(tf.range(classes), [len(noise) // classes])
            return self._networks.generator(noise, labels).numpy()[label::classes]
        if self.conditional:
            return self._networks.generator(noise, tf.fill([len(noise)], label)).numpy()
        images = self._networks.generator(noise, tf.zeros([len(noise)], tf.int32))
        categories = tf.argmax(self._networks.solver(images).logits[:, :learned], axis=-1)
        return images.numpy()[categories.numpy() == label]

    def samples(self) -> list[Sample]:
        """When training drew pictures, in the order of training."""
        names = [path.name for path in (self.directory / "samples").glob("*.png")]
        if self.config.joint:
            matches = filter(None, map(_JOINT_SAMPLE_NAME.fullmatch, names))
            return sorted(Sample(len(self.classes), int(match[1])) for match in matches)
        matches = filter(None, map(_SAMPLE_NAME.fullmatch, names))
        drawn = {(Sample(int(match[1]), int(match[2])), match[3]) for match in matches}
        return sorted(sample for sample in {sample for sample, _ in drawn}
                      if all((sample, name) in drawn for name in self._names_of(sample)))

    def sample_rows(self, sample: Sample, count: int, labels=None) -> list[list[np.ndarray]]:
        """For each of the classes (default: all learned) the first `count` pictures uint8 [h, w, 3] of a moment.

        They are as training drew them: each class's picture stretched to its own extremes, joint training's all
        together. An unconditional generator's are rows of its one picture.
        """
        if self.config.joint:
            tiles = self._tiles(f"samples_{sample.iteration}.png")
            rows = [list(tiles[label::len(self.classes)][:count]) for label in range(len(self.classes))]
            return rows if labels is None else [rows[label] for label in labels]
        stem = f"Task_{sample.learned}_Iter_{sample.iteration}"
        if not self.conditional:
            tiles = self._tiles(f"{stem}.png")
            return [list(tiles[_GRID * row:][:count]) for row in range(_GRID)]
        chosen = range(sample.learned) if labels is None else labels
        return [list(self._tiles(f"{stem}_{self.classes[label]}.png")[:count]) for label in chosen]

    def _names_of(self, sample: Sample) -> tuple:
        return self.classes[:sample.learned] if self.conditional else (None,)

    def _tiles(self, name: str) -> np.ndarray:
        """The images uint8 [n, h, w, 3] of a sample picture."""
        path, side = self.directory / "samples" / name, self.config.data.side
        columns = len(self.classes) if self.config.joint else _GRID
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
        except OSError as error:
            raise UserError(f"cannot read the picture {path}: {error}; remove it to leave it out") from error
        if pixels.shape != (_GRID * side, columns * side, 3):
            raise UserError(f"{path} is {list(pixels.shape)}, not a grid of {_GRID} x {columns} images of {side} x "
                            f"{side} pixels; remove it to leave it out")
        return pixels.reshape(_GRID, side, columns, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, side, side, 3)
