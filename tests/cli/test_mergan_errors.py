"""What a user gets wrong ends with one line that says what, where and what to do: no traceback, no exit code 0."""

import numpy as np
import pytest

from tests import written
from tests.cli.conftest import write_mnist
from tests.process import refused


@pytest.mark.parametrize("flags, said", [
    ("--dataset cats", "--dataset=cats"),
    ("--iters -5", "--iters=-5"),
    ("--RA_factor -1", "--RA_factor=-1"),
    ("--iters many", "--iters=many"),
    ("--checkpoint_every soon", "--checkpoint_every=soon"),
    ("mnist", "unexpected argument 'mnist'"),
    ("--test", "--result_path"),
    ("--tasks 11", "10 classes"),
    ("--DGR --RA", "--DGR"),
    ("--test --result_path a --metrics beauty", "beauty"),
])
def test_flags(here, flags, said):
    assert said in refused(here.call(f"mergan.py {flags}"))
    assert not (here.path / "result").exists()


def test_data_that_are_nowhere(here):
    message = refused(here.call("mergan.py --dataset mnist --result_path a --iters 1"))
    assert "dataset/mnist" in message and "train-images-idx3-ubyte.gz" in message and "--dataset digits" in message
    assert not (here.path / "result").exists()


def test_truncated_file(here):
    write_mnist(here.path / "dataset/mnist")
    path = here.path / "dataset/mnist/train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:10_000])
    assert "train-images-idx3-ubyte.gz" in refused(here.call("mergan.py --result_path a --iters 1"))
    assert not (here.path / "result").exists()


def test_wrong_magic_number(here):
    write_mnist(here.path / "data/mnist")
    written.put(here.path / "data/mnist/train-labels-idx1-ubyte.gz", b"PK\x03\x04 a zip file, not gzip")
    message = refused(here.call("mergan.py --data_dir data --result_path a --iters 1"))
    assert "data/mnist/train-labels-idx1-ubyte.gz" in message


@pytest.mark.parametrize("missing", ["X", "y"])
def test_mat_without_its_variables(here, missing):
    data = written.svhn(20)
    del data[missing]
    for name in ("train", "test"):
        written.put(here.path / f"dataset/svhn/{name}_32x32.mat", written.mat(data))
    message = refused(here.call("mergan.py --dataset svhn --result_path a --iters 1"))
    assert "train_32x32.mat" in message and missing in message


def test_class_without_images(here):
    write_mnist(here.path / "dataset/mnist")
    images, labels = written.striped(5700)
    written.mnist_files(here.path / "dataset/mnist", (images, np.where(labels == 7, 6, labels)), (images, labels))
    assert "no image of class 7" in refused(here.call("mergan.py --result_path a --iters 1"))


def test_lsun_class_without_images(here):
    for name in ("bedroom", "kitchen", "church_outdoor", "tower"):
        (here.path / f"dataset/lsun/{name}/train").mkdir(parents=True)
    assert "dataset/lsun/bedroom/train" in refused(here.call("mergan.py --dataset lsun --result_path a --iters 1"))


def test_result_path_that_cannot_be_written(here):
    (here.path / "result").write_text("a file where the directory should be")
    assert "result/a" in refused(here.call("mergan.py --dataset digits --result_path a --iters 1"))


def test_test_without_a_checkpoint(here):
    message = refused(here.call("mergan.py --dataset digits --test --result_path result/none"))
    assert "result/none/model/WGAN_GP.model4-150" in message and "train it first" in message


def test_test_with_other_iterations(here):
    (here.path / "result/a/model").mkdir(parents=True)
    (here.path / "result/a/model/WGAN_GP.model4-1000.index").write_bytes(b"")
    message = refused(here.call("mergan.py --dataset mnist --test --result_path result/a"))
    assert "WGAN_GP.model4-4000" in message and "--iters 1001" in message


def test_another_runs_directory_is_not_overwritten(here):
    (here.path / "result/a").mkdir(parents=True)
    (here.path / "result/a/thesis.tex").write_text("x")
    assert "thesis.tex" in refused(here.call("mergan.py --dataset digits --result_path a --iters 1"))
    assert [path.name for path in (here.path / "result/a").iterdir() if path.name[0] != "."] == ["thesis.tex"]


@pytest.mark.full
def test_other_settings_are_not_mixed_into_a_run(here):
    assert here.call("joint.py --dataset digits --result_path a --iters 1").returncode == 0
    message = refused(here.call("joint.py --dataset digits --result_path a --iters 2 --seed 3"))
    assert "iterations: 1 there, 2 asked" in message and "seed: 0 there, 3 asked" in message


def test_damaged_checkpoint(here):
    (here.path / "result/a/model").mkdir(parents=True)
    for ending in ("index", "data-00000-of-00001"):
        (here.path / f"result/a/model/WGAN_GP.model4-150.{ending}").write_bytes(b"not a checkpoint")
    message = refused(here.call("mergan.py --dataset digits --test --result_path result/a"))
    assert "cannot read the checkpoint result/a/model/WGAN_GP.model4-150" in message
