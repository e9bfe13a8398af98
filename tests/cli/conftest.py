"""A working directory as a user has it: small data files in the original layout, and a way to run a command line."""

import json
import re
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tests import process, written
from tests.data import scenes
from tests.shared import once

PER_CLASS = 64  # one batch


def write_mnist(folder: Path) -> None:
    """5000 validation images, which are never trained on, and one batch per class."""
    written.mnist_like(folder, 5000 + 10 * PER_CLASS, 50)


def write_tf1_classifier(prefix: Path, shapes: dict[str, list[int]]) -> None:
    """A checkpoint as a TF1 program leaves it, with random weights."""
    prefix.parent.mkdir(parents=True)
    graph, random = tf.Graph(), np.random.RandomState(2)
    with graph.as_default(), tf.compat.v1.Session() as session:
        variables = [tf.compat.v1.get_variable(name, initializer=tf.constant(
            random.uniform(-0.1, 0.1, shape).astype(np.float32)), use_resource=False)
            for name, shape in shapes.items()]
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(variables).save(session, str(prefix))


def write_recorded_classifier(prefix: Path, name: str) -> None:
    """The original's classifier of this name, as its variables are recorded."""
    recorded = json.loads((process.ROOT / "tests/golden/figures/mergan_classifiers.json").read_text())["variables"]
    write_tf1_classifier(prefix, {key: record["shape"] for key, record in recorded[f"classifier_{name}"].items()})


def link(source: Path, path: Path) -> process.Place:
    """A working directory with the data sets and classifiers of `source`."""
    path.mkdir(exist_ok=True)
    for name in ("dataset", "pretrain"):
        (path / name).symlink_to(source / name)
    return process.Place(path)


@pytest.fixture(scope="session")
def mergan_data(tmp_path_factory) -> Path:
    """MNIST and SVHN files and classifier checkpoints where the originals look for them."""
    def make(path):
        write_mnist(path / "dataset/mnist")
        written.svhn_files(path / "dataset/svhn", 1000, 50)
        write_recorded_classifier(path / "pretrain/mnist/mnist.model-10197", "mnist")
        write_recorded_classifier(path / "pretrain/svhn/svhn.model-25654", "svhn")

    return once(tmp_path_factory, "mergan_data", make)


@pytest.fixture
def workplace(mergan_data, tmp_path) -> process.Place:
    return link(mergan_data, tmp_path / "workplace")


@pytest.fixture
def lsun_workplace(launch, tmp_path) -> process.Place:
    """The same for LSUN, with drawn scenes."""
    scenes.write_lsun(tmp_path / "dataset", train=PER_CLASS, val=4)
    write_recorded_classifier(tmp_path / "pretrain/lsun10/lsun10.model-100002", "lsun")
    return launch(tmp_path)


class Trained(NamedTuple):
    output: str
    directory: Path


@pytest.fixture(scope="session")
def trained(mergan_data, tmp_path_factory) -> Callable[[str], Trained]:
    """What a training's command line printed and wrote. It runs once; nobody changes what it wrote."""
    def run(line: str) -> Trained:
        def make(path):
            (path / "output.txt").write_text(process.passed(link(mergan_data, path).call(line)))

        path = once(tmp_path_factory, "trained " + re.sub(r"\W+", "_", line), make)
        return Trained((path / "output.txt").read_text(), path / "result" / result_name(line))

    return run


def result_name(line: str) -> str:
    return re.search(r"--result_path[= ](?:result/)?([^/\s]+)", line).group(1)
