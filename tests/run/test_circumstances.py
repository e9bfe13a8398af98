"""What a run meets with besides its settings: other data are refused, another number of threads is said."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from lib import device
from lib.data import folders, origin, sources
from lib.errors import UserError
from lib.mergan.config import Config
from lib.mergan.data import TrainingImages
from lib.run import place, provenance, runner
from lib.run.options import Options
from lvae import distributions
from lvae.config import make_config
from memorygan import data as memorygan_data
from tests import written
from tests.data import scenes
from tests.memorygan import tiny

DIGITS, CLOTHES = place.Origin("files mnist", "a1"), place.Origin("files fashion", "b2")


def start(directory, data=DIGITS):
    with runner.Run(directory, {"system": "toy"}, {}, Options(), [5], data=data) as run:
        run.train(lambda first, count: {}, [])


def stored(directory) -> dict:
    return json.loads((directory / "circumstances.json").read_text())


def test_a_run_says_and_keeps_what_it_learns_from(tmp_path, capsys):
    start(tmp_path)
    assert "data: files mnist\n" in capsys.readouterr().out
    assert stored(tmp_path) == {"threads": device.threads(), "versions": provenance.libraries(), "data": "files mnist",
                                "data_fingerprint": "a1"}
    assert json.loads((tmp_path / "settings.json").read_text()) == {"system": "toy"}


def test_other_data_are_refused_and_the_same_elsewhere_are_not(tmp_path):
    start(tmp_path)
    with pytest.raises(UserError, match="run on other data .files mnist then, files fashion now"):
        start(tmp_path, CLOTHES)
    assert stored(tmp_path)["data"] == "files mnist"
    start(tmp_path, DIGITS._replace(source="files elsewhere"))


@pytest.mark.parametrize("older", [None, "{}", '{"threads": 1}'])
def test_a_run_from_before_goes_on_and_gets_a_fingerprint(tmp_path, older):
    start(tmp_path)
    (tmp_path / "circumstances.json").unlink()
    if older:
        (tmp_path / "circumstances.json").write_text(older)
    start(tmp_path, CLOTHES)
    assert stored(tmp_path)["data_fingerprint"] == "b2"


@pytest.mark.parametrize("name, told_by, now, said", [
    ("threads", (device, "threads"), 48, f"--threads {device.threads()} before, 48 now"),
    ("versions", (provenance, "libraries"), "tensorflow 3",
     f"versions {provenance.libraries()} before, tensorflow 3 now")], ids=["threads", "versions"])
def test_other_threads_and_versions_are_said_and_no_obstacle(tmp_path, monkeypatch, capsys, name, told_by, now, said):
    start(tmp_path)
    monkeypatch.setattr(*told_by, lambda: now)
    capsys.readouterr()
    start(tmp_path)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert said in line and stored(tmp_path)[name] == now
    start(tmp_path)
    assert "note: " not in capsys.readouterr().out


def test_threads_in_use(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert device.threads() == 3
    for nothing in ("", "abc", "0", "-5"):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", nothing)
        assert device.threads() == len(os.sched_getaffinity(0))


def test_threads_cannot_change_once_something_is_computed():
    tf.zeros([]).numpy()
    with pytest.raises(UserError, match="--threads=77: this process computes with"):
        device.set_up(count=77)


@pytest.mark.full
def test_threads_that_are_asked_for_are_taken(place):
    code = ("from lib import device; print(device.set_up(count=2)); import tensorflow as tf; "
            "print(tf.config.threading.get_intra_op_parallelism_threads(), device.threads())")
    ended = place.run(["-c", code])
    assert ended.stdout == "device: CPU, threads: 2\n2 2\n"


def mergan(folder):
    return TrainingImages(Config("svhn", 3), str(folder)).origin


def memorygan(folder):
    return memorygan_data.open_training(tiny.config("fashion"), str(folder)).origin


def lvae(folder):
    return distributions.load(make_config("fashion_dnn", sequential=True), str(folder)).origin


def write(folder, seed: int) -> None:
    written.put(folder / "svhn/train_32x32.mat", written.mat(written.svhn(200, seed)))
    written.put(folder / "svhn/test_32x32.mat", written.mat(written.svhn(100, 9)))
    written.mnist_files(folder / "fashion", written.striped(40, seed), written.striped(20, 9))


@pytest.mark.parametrize("read", [mergan, memorygan, lvae])
def test_the_fingerprint_is_of_the_images_wherever_they_lie(tmp_path, read):
    for name, seed in (("here", 1), ("there", 1), ("others", 2)):
        write(tmp_path / name, seed)
    here, there, others = (read(tmp_path / name) for name in ("here", "there", "others"))
    assert here.fingerprint == there.fingerprint != others.fingerprint
    assert here.source.startswith("files ") and str(tmp_path / "here") in here.source


def test_image_folders_are_known_by_names_and_pixels(tmp_path):
    def found(name):
        return origin.of_images(name, [folders.of_class(str(tmp_path / name), "lsun", "tower", "train")]).fingerprint

    scenes.write_lsun(tmp_path / "a", train=3, val=1)
    scenes.write_lsun(tmp_path / "b", train=3, val=1)
    assert found("a") == found("b")
    some = next((tmp_path / "b/lsun/tower/train").iterdir())
    some.write_bytes(written.image(np.zeros((64, 64, 3), np.uint8), "JPEG"))
    changed = found("b")
    some.rename(some.with_name("zzz" + some.suffix))
    assert len({found("a"), changed, found("b")}) == 3


def test_digits_and_tfds_are_named(monkeypatch, tmp_path):
    assert sources.described("digits", "") == "scikit-learn's digits"
    monkeypatch.setattr(sources.from_tfds, "described", lambda name: f"TFDS {name}/3.0.1")
    assert sources.described("mnist", str(tmp_path)) == "TFDS mnist/3.0.1"
