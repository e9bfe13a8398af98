"""memoryGAN in `python -m lib.tf1`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lib import tf1
from lib.tf1 import models
from memorygan import checkpoint
from memorygan.config import make_config
from memorygan.step import build_model

ROOT = Path(__file__).parents[2]


def tool(*arguments) -> str:
    done = subprocess.run([sys.executable, "-m", "lib.tf1", *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("dataset", ["fashion", "affmnist", "cifar10", "celeba"])
def test_checkpoints_of_the_data_sets_are_told_apart(dataset):
    values = {name: np.asarray(variable) for name, variable in
              checkpoint.variables(build_model(make_config(dataset))).items()}
    assert models.recognise(values) == f"memorygan-{dataset}"


@pytest.mark.slow
def test_list_and_convert_there_and_back(tmp_path):
    model = build_model(make_config("fashion", seed=3))
    tf1.write(tmp_path / "model-1", checkpoint.variables(model))
    listed = tool("list", tmp_path / "model-1")
    assert "69 variables of memorygan-fashion" in listed and "memkeys" in listed
    tool("convert", tmp_path / "model-1", tmp_path / "keras", "--model", "memorygan-fashion")
    assert {path.name for path in (tmp_path / "keras").iterdir()} == {
        f"{name}.weights.h5" for name in ("generator", "discriminator", "memory")}
    tool("convert", tmp_path / "keras", tmp_path / "back", "--model", "memorygan-fashion")
    back, there = tf1.read(tmp_path / "back"), tf1.read(tmp_path / "model-1")
    for name, value in there.items():
        if "/Adam" not in name:
            np.testing.assert_array_equal(value, back[name], err_msg=name)
