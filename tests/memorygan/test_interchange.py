"""memoryGAN in `python -m lib.tf1`."""

import numpy as np
import pytest

from lib import tf1
from lib.tf1 import models
from memorygan import checkpoint
from memorygan.config import make_config
from memorygan.step import build_model
from tests.process import passed


@pytest.mark.parametrize("dataset", [
    "fashion", "affmnist", *(pytest.param(name, marks=pytest.mark.full) for name in ("cifar10", "celeba"))])
def test_checkpoints_of_the_data_sets_are_told_apart(dataset):
    values = {name: np.asarray(variable) for name, variable in
              checkpoint.variables(build_model(make_config(dataset))).items()}
    assert models.recognise(values) == f"memorygan-{dataset}"


@pytest.mark.full
def test_list_and_convert_there_and_back(here, tmp_path):
    def tool(line):
        return passed(here.call(f"-m lib.tf1 {line}"))

    model = build_model(make_config("fashion", seed=3))
    tf1.write(tmp_path / "model-1", checkpoint.variables(model))
    listed = tool("list model-1")
    assert "69 variables of memorygan-fashion" in listed and "memkeys" in listed
    tool("convert model-1 keras --model memorygan-fashion")
    assert {path.name for path in (tmp_path / "keras").iterdir()} == {
        f"{name}.weights.h5" for name in ("generator", "discriminator", "memory")}
    tool("convert keras back --model memorygan-fashion")
    back, there = tf1.read(tmp_path / "back"), tf1.read(tmp_path / "model-1")
    for name, value in there.items():
        if "/Adam" not in name:
            np.testing.assert_array_equal(value, back[name], err_msg=name)
