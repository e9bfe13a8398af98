"""Runs and checkpoints of all systems, sampled from as the READMEs say, whose code is run."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from lib import files, load, tf1
from lib.errors import UserError
from lib.mergan import sampler
from lib.mergan.config import make_config
from lvae.config import make_config as make_lvae
from lvae.learner import Learner
from lvae.places import settings_of
from memorygan import checkpoint
from memorygan.step import build_model
from tests.memorygan import tiny
from tests.process import ROOT, passed, refused
from tests.report.conftest import write_checkpoint, write_run


def run_code(readme: str, which: int = slice(None)) -> None:
    """Run a README's Python blocks in the working directory."""
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / readme).read_text(), re.M | re.S)[which]:
        exec(compile(block, readme, "exec"), {})


def write_mergan(directory, tasks=(1, 2), **settings):
    """A run whose tasks (from 0) of these numbers are finished; nothing was trained."""
    config = make_config(**settings)
    write_run(directory, config)
    for task in tasks:
        write_checkpoint(directory, config, task, seed=task)


def write_memorygan(place):
    """The logs of a run after an epoch, and its checkpoint; nothing was trained."""
    config = tiny.config()
    files.make_directory(place / "checkpoint/0/now")
    files.make_directory(place / "logs/0/now")
    files.write_json(place / "logs/0/now/settings.json", {"system": "memoryGAN", **dataclasses.asdict(config)})
    checkpoint.write(place / "checkpoint/0/now/model-1", build_model(config))


def write_lvae(directory):
    """The same of a Lifelong VAE after two distributions."""
    learner = Learner(make_lvae("fashion_dnn", sequential=True, latent_size=2))
    files.make_directory(directory / "models")
    files.write_json(directory / "settings.json", settings_of(learner.config, ""))
    for count in (1, 2):
        tf1.write(directory / f"models/{learner.model().prefix}.cpkt", learner.model().variables())
        if count == 1:
            learner.fork(1)


@pytest.mark.full
def test_the_first_pages_code_and_command_sample_from_the_demonstration(here, monkeypatch, capsys):
    monkeypatch.chdir(here.path)
    write_mergan(here.path / "result/demo", dataset="digits", first_tasks=3)
    run_code("README.md")
    assert "(64, 32, 32, 1) (64,) (64, 128)\n" in capsys.readouterr().out
    model = load("result/demo")
    ten, hundred = model.sample([2], 10, seed=5), model.sample([0, 2], 200, seed=5)
    np.testing.assert_array_equal(ten.images, hundred.images[100:110])  # in full batches, whatever the count
    assert (ten.images != model.sample([2], 10, seed=5, batch=8).images).any()
    assert load("result/demo", task=2).names == load("result/demo/model/WGAN_GP.model1-150").names == ("0", "1")
    passed(here.call("-m lib.sample result/demo --classes 2 --count 10 --seed 5 --out twos"))
    images = [np.asarray(Image.open(path)) for path in sorted((here.path / "twos/2").iterdir())]
    np.testing.assert_array_equal(np.stack(images)[..., None], ten.images)
    for flags, said in (("--out twos", "is there already"), ("--out a.npz --classes 3", "no class 3"),
                        ("--out a.npz --task 1", "no state after 1: there are those after 2, 3"), ("", "where to"),
                        ("--out a.npz --model mergan-mnist", "settings.json says")):
        assert said in refused(here.call(f"-m lib.sample result/demo {flags}"))
    assert "neither a run's directory nor" in refused(here.call("-m lib.sample result/none --out a.npz"))
    assert not list(here.path.glob("*.npz")) and not list(here.path.glob(".*"))


@pytest.mark.full
@pytest.mark.parametrize("readme, write", [
    ("lib/mergan", lambda place: write_mergan(place / "result/mnist_RA_1e_3", [9], dataset="mnist")),
    ("memorygan", lambda place: write_memorygan(place / "memorygan")),
    ("lvae", lambda place: write_lvae(place / "lvae/experiment_0"))], ids=["mergan", "memorygan", "lvae"])
def test_a_systems_page_samples_and_makes_a_step(tmp_path, monkeypatch, readme, write, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    run_code(f"{readme}/README.md")
    sampled, costs = capsys.readouterr().out.strip().splitlines()[-2:]
    assert sampled.startswith("(64, ") and costs.startswith("{'") and "nan" not in costs


@pytest.mark.full
def test_classes_are_sorted_from_what_joint_training_generates_together(tmp_path, monkeypatch):
    write_mergan(tmp_path, [0], dataset="digits", joint=True)
    model = load(tmp_path)
    drawn = model.sample([0, 9], 25)
    assert drawn.labels.tolist() == [0, 9] * 12 + [0] and drawn.z.shape == (25, 128)
    monkeypatch.setattr(sampler, "_PATIENCE", 20)
    with pytest.raises(UserError, match="no image of 9 among"):
        model.sample([9], 1, batch=5)  # the classes come in turn: five images hold the first five


@pytest.mark.full
def test_slots_and_latent_classes(tmp_path):
    write_memorygan(tmp_path)
    write_lvae(tmp_path / "experiment_0")
    run, prefix = tmp_path / "logs/0/now", tmp_path / "checkpoint/0/now/model-1"
    models = [load(run, task=1), load(prefix), load(prefix, model="memorygan-fashion")]
    first, *others = (model.sample(slots=[3, 63], count=5, seed=1) for model in models)
    assert first.labels.tolist() == [3, 3, 3, 63, 63] and first.images.shape == (5, 28, 28, 1)
    for drawn in others:
        np.testing.assert_array_equal(drawn.images, first.images)
    model = models[0]
    assert len(set(model.sample(count=40).labels)) > 5
    with pytest.raises(UserError, match="no choice of class; ask it by slot"):
        model.sample(classes=[3])
    model = load(tmp_path / "experiment_0")
    assert model.names == ("0", "1") and load(tmp_path / "experiment_0", task=1).names == ("0",)
    grey, colour = (np.full([3, side, side, channels], 200, np.uint8) for side, channels in ((28, 1), (40, 3)))
    for images in (grey, colour):
        assert next(model.reconstructed(images)).images.shape == (3, 28, 28, 1)
    prefix, = (path.with_suffix("") for path in tmp_path.glob("experiment_0/models/vae1*.index"))
    np.testing.assert_array_equal(load(prefix, model="lvae-dense").sample([1], 5).images, model.sample([1], 5).images)
