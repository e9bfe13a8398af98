"""A working directory as a user has it: small data files in the original layout, and a way to run a command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.data import scenes, written

ROOT = Path(__file__).parent.parent.parent
PER_CLASS = 64  # one batch


class WorkingDirectory:

    def __init__(self, path: Path):
        self.path = path

    def command(self, line: str) -> list[str]:
        script, *arguments = line.removeprefix("python ").split()
        return [sys.executable, str(ROOT / script), *arguments]

    @property
    def environment(self) -> dict:
        return {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}

    def run(self, line: str, timeout: float = 900) -> subprocess.CompletedProcess:
        """Run `python <script of the repository> <flags>` here."""
        return subprocess.run(self.command(line), cwd=self.path, env=self.environment, capture_output=True,
                              text=True, timeout=timeout)

    def start(self, line: str) -> subprocess.Popen:
        return subprocess.Popen(self.command(line), cwd=self.path, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def labels(count: int) -> np.ndarray:
    return (np.arange(count) % 10).astype(np.uint8)


def write_mnist(folder: Path) -> None:
    """5000 validation images, which are never trained on, and one batch per class."""
    count = 5000 + 10 * PER_CLASS
    random = np.random.RandomState(0)
    images = random.randint(0, 256, [count, 28, 28]).astype(np.uint8)
    written.mnist_files(folder, (images, labels(count)), (images[:50], labels(50)))


def write_svhn(folder: Path) -> None:
    random = np.random.RandomState(1)
    for name, count in (("train", 10 * PER_CLASS), ("test", 50)):
        data = {"X": random.randint(0, 256, [32, 32, 3, count]).astype(np.uint8), "y": labels(count)[:, None] + 1}
        written.put(folder / f"{name}_32x32.mat", written.mat(data))


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


def dense_shapes(widths: dict[str, tuple[int, int]]) -> dict[str, list[int]]:
    return {f"{layer}/{layer}_{kind}": shape for layer, (inputs, outputs) in widths.items()
            for kind, shape in (("weights", [inputs, outputs]), ("biases", [outputs]))}


MNIST_CLASSIFIER = dense_shapes({"fc1": (1024, 1024), "fc2": (1024, 512), "fc3": (512, 256), "fc4": (256, 128),
                                 "fc5": (128, 10)})
SVHN_CLASSIFIER = {f"svhn_{layer}/svhn_{layer}_{kind}": shape
                   for layer, (inputs, outputs) in {"conv1_1": (3, 32), "conv1_2": (32, 32), "conv2_1": (32, 64),
                                                    "conv2_2": (64, 64), "conv3_1": (64, 128), "conv3_2": (128, 128),
                                                    "conv3_3": (128, 128)}.items()
                   for kind, shape in (("filters", [3, 3, inputs, outputs]), ("biases", [outputs]))}
SVHN_CLASSIFIER |= dense_shapes({"svhn_fc5_lsun10": (2048, 512), "svhn_fc6_lsun10": (512, 128),
                                 "svhn_fc7_lsun10": (128, 10)})


@pytest.fixture(scope="session")
def workplace(tmp_path_factory) -> WorkingDirectory:
    """MNIST and SVHN files and classifier checkpoints where the originals look for them."""
    path = tmp_path_factory.mktemp("workplace")
    write_mnist(path / "dataset/mnist")
    write_svhn(path / "dataset/svhn")
    write_tf1_classifier(path / "pretrain/mnist/mnist.model-10197", MNIST_CLASSIFIER)
    write_tf1_classifier(path / "pretrain/svhn/svhn.model-25654", SVHN_CLASSIFIER)
    return WorkingDirectory(path)


@pytest.fixture(scope="session")
def lsun_workplace(tmp_path_factory) -> WorkingDirectory:
    """The same for LSUN, with drawn scenes."""
    path = tmp_path_factory.mktemp("lsun_workplace")
    scenes.write_lsun(path / "dataset", train=PER_CLASS, val=4)
    recorded = json.loads((ROOT / "tests/golden/figures/mergan_classifiers.json").read_text())["variables"]
    write_tf1_classifier(path / "pretrain/lsun10/lsun10.model-100002",
                         {name: record["shape"] for name, record in recorded["classifier_lsun"].items()})
    return WorkingDirectory(path)


@pytest.fixture
def empty(tmp_path) -> WorkingDirectory:
    return WorkingDirectory(tmp_path)
