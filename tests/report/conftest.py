"""Run directories as training and testing leave them, without a training."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from lib import files, pictures, tf1
from lib.mergan.checkpoint import checkpoint_variables, model_prefix
from lib.mergan.config import Config
from lib.mergan.networks import build_networks
from lib.mergan.report.runs import Run, of
from lib.mergan.step import build_optimizers
from lib.report import runs


def write_run(directory: Path, config: Config, metrics: dict | None = None, log: dict[int, dict] = {}) -> Path:
    """Settings, what `--test` writes, and a log of means by step."""
    files.make_directory(directory / "samples")
    files.make_directory(directory / "model")
    files.write_json(directory / "settings.json", {"system": "MeRGAN", **dataclasses.asdict(config), "load_model": ""})
    if metrics:
        files.write_json(directory / "metrics.json", metrics)
    if log:
        lines = [json.dumps({"step": step, "means": means, "values": {}}) for step, means in log.items()]
        files.write_text(directory / "log.jsonl", "\n".join(lines) + "\n")
    return directory


def write_checkpoint(directory: Path, config: Config, task: int, seed: int):
    """The checkpoint of a finished task, of untrained networks; returns them."""
    networks = build_networks(config.data, replay=not config.joint, solver=config.generative_replay, seed=seed)
    tf1.write(model_prefix(directory, config, task, config.iterations - 1),
              checkpoint_variables(config, networks, build_optimizers(config, networks)))
    return networks


def write_sample(directory: Path, name: str, shades) -> None:
    """A sample picture of 100 images of 32 x 32, each of one shade; two pixels make the picture span 0 to 255."""
    pixels = np.asarray(shades)[:, None, None, None] * np.ones([100, 32, 32, 1])
    pixels[-1, 0, 0], pixels[-1, 0, 1] = 0, 255
    pictures.save_grid(directory / "samples" / name, pixels)


def mergan_runs(directories) -> list[Run]:
    """The runs of MeRGAN in these directories."""
    return [of(run) for run in runs.read_all(directories)]


METRICS = {"dataset": "mnist", "iterations": 3, "seed": 0, "tasks": [
    {"task": 5, "accuracy": {"0": 0.5, "1": 0.25, "2": 1.0, "3": 0.0, "4": 0.75}, "average_accuracy": 0.5},
    {"task": 10, "accuracy": {str(digit): digit / 10 for digit in range(10)}, "average_accuracy": 0.45}]}


@pytest.fixture
def aligned(tmp_path) -> Path:
    """A tested run of replay alignment on mnist with a log, without checkpoints and pictures."""
    config = Config("mnist", 3, replay_alignment=True, alignment_factor=1e-3)
    return write_run(tmp_path / "aligned", config, METRICS, {0: {"d-cost": -1.5}, 2: {"d-cost": -2.5, "g-cost": 4.0}})
