"""Which classifier judges: the original's checkpoint, a cached one, or one trained now; and what is said about it."""

import contextlib
import io
import os
import shutil

import numpy as np
import pytest

from lib import tf1
from lib.classifiers import pretrained, real_images, training
from lib.classifiers.networks import build_classifier, tf1_names
from lib.classifiers.training import Recipe
from lib.errors import UserError
from tests.shared import once

MNIST = "mnist/mnist.model-10197"


def replace(monkeypatch) -> dict:
    """MNIST's place is taken by scikit-learn's digits, and training is short."""
    digits = {split: real_images.load("digits", split, "nowhere") for split in ("train", "test")}
    digits["train"] = real_images.RealImages(digits["train"].images[:640], digits["train"].labels[:640])
    monkeypatch.setattr(real_images, "load", lambda dataset, split, data_dir: digits[split])
    recipe = Recipe(epochs=5, batch_size=64, learning_rate=1e-3)
    monkeypatch.setattr(training, "RECIPES", {"mnist": recipe, "svhn": recipe, "digits": recipe})
    return digits


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    return replace(monkeypatch)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """`pretrain/` as the first evaluation leaves it, and what that printed."""
    def make(path):
        with pytest.MonkeyPatch.context() as monkeypatch, contextlib.redirect_stdout(io.StringIO()) as printed:
            replace(monkeypatch)
            pretrained.evaluation_classifier("mnist", "data", path / "pretrain")
        (path / "printed.txt").write_text(printed.getvalue())

    return once(tmp_path_factory, "classifier", make)


@pytest.fixture
def pretrain(trained, tmp_path):
    return shutil.copytree(trained / "pretrain", tmp_path / "pretrain")


@pytest.fixture
def trainings(trained, monkeypatch):
    """The trainings so far; each ends with the weights of the one that there was."""
    kept, = (trained / "pretrain/mnist").iterdir()
    found = []

    def train(classifier, *arguments, **options):
        found.append(arguments)
        classifier.load_weights(kept)

    monkeypatch.setattr(pretrained, "train", train)
    return found


def forbid_training(monkeypatch):
    def train(*args, **kwargs):
        raise AssertionError("trained")

    monkeypatch.setattr(pretrained, "train", train)


def values(model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.variables]


def same(first, second) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(values(first), values(second), strict=True))


def original(dataset: str = "mnist", seed: int = 7) -> dict:
    generator = np.random.default_rng(seed)
    return {name: generator.standard_normal(variable.shape).astype(np.float32)
            for name, variable in tf1_names(build_classifier(dataset)).items()}


def write(prefix, variables: dict) -> None:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    tf1.write(prefix, variables)


def printed_accuracy(text: str) -> float:
    line = text.strip().splitlines()[-1]
    assert line.startswith("mnist classifier ") and line.endswith("on 355 real test images")
    return float(line.split("accuracy ")[1].split("%")[0])


def test_trains_once_and_then_reads_its_file(trained, monkeypatch, capsys):
    path, = (trained / "pretrain/mnist").iterdir()
    assert path.name.endswith(".weights.h5")
    forbid_training(monkeypatch)
    model, kept = pretrained.evaluation_classifier("mnist", "data", trained / "pretrain"), build_classifier("mnist")
    kept.load_weights(path)
    assert same(model, kept)
    accuracy = printed_accuracy(capsys.readouterr().out)
    assert accuracy == printed_accuracy((trained / "printed.txt").read_text()) > 80


def test_other_training_data_do_not_get_the_cached_classifier(pretrain, trainings, monkeypatch, quick):
    quick["train"].images[0, 0, 0, 0] ^= 1
    pretrained.evaluation_classifier("mnist", "data", pretrain)
    assert len(list((pretrain / "mnist").iterdir())) == 2
    monkeypatch.setitem(training.RECIPES, "mnist", Recipe(epochs=1))
    pretrained.evaluation_classifier("mnist", "data", pretrain)
    assert len(list((pretrain / "mnist").iterdir())) == 3 and len(trainings) == 2


@pytest.mark.parametrize("damage", [lambda data: data[:len(data) // 2], lambda data: b"", lambda data: b"\0" * 4096])
def test_a_damaged_file_is_replaced_and_said_so(pretrain, trainings, monkeypatch, capsys, damage):
    path, = (pretrain / "mnist").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    replaced = pretrained.evaluation_classifier("mnist", "data", pretrain)
    lines = capsys.readouterr().out.splitlines()
    assert len(trainings) == 1 and len(lines) == 2 and "damaged" in lines[0] and str(path) in lines[0]
    assert list((pretrain / "mnist").iterdir()) == [path]
    forbid_training(monkeypatch)
    assert same(pretrained.evaluation_classifier("mnist", "data", pretrain), replaced)


def test_an_interrupted_training_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrained.evaluation_classifier("mnist", "data", tmp_path)
    assert not list((tmp_path / "mnist").iterdir())


def test_the_originals_checkpoint_comes_first(tmp_path, monkeypatch, capsys):
    forbid_training(monkeypatch)
    variables = original()
    # The svhn checkpoint holds the optimiser's slots too; nobody needs them.
    write(tmp_path / MNIST, variables | {"fc1/fc1_weights/Adam": np.ones([1024, 1024], np.float32),
                                         "beta1_power": np.float32(0.5)})
    model = pretrained.evaluation_classifier("mnist", "data", tmp_path)
    assert all(np.array_equal(variable, variables[name]) for name, variable in tf1_names(model).items())
    assert MNIST in capsys.readouterr().out


def test_the_originals_checkpoint_works_without_real_images(tmp_path, monkeypatch, capsys):
    def missing(dataset, split, data_dir):
        raise UserError("no images there")

    monkeypatch.setattr(real_images, "load", missing)
    write(tmp_path / MNIST, original())
    pretrained.evaluation_classifier("mnist", "data", tmp_path)
    assert "unknown (no images there)" in capsys.readouterr().out
    with pytest.raises(UserError, match="no images there"):
        pretrained.evaluation_classifier("digits", "data", tmp_path)


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_a_checkpoint_of_another_network_is_an_error(tmp_path, change):
    variables = original()
    del variables["fc3/fc3_biases"]
    if change == "shape":
        variables["fc3/fc3_biases"] = np.zeros(255, np.float32)
    write(tmp_path / MNIST, variables)
    with pytest.raises(UserError, match=f"{MNIST}.*fc3/fc3_biases") as error:
        pretrained.evaluation_classifier("mnist", "data", tmp_path)
    assert "\n" not in str(error.value) and "fc4" not in str(error.value)


@pytest.mark.parametrize("empty", [True, False])
def test_a_checkpoint_without_content_is_passed_over_with_a_line(tmp_path, trainings, capsys, empty):
    write(tmp_path / MNIST, original())
    data = tmp_path / f"{MNIST}.data-00000-of-00001"
    data.write_bytes(b"") if empty else os.remove(data)
    pretrained.evaluation_classifier("mnist", "data", tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and MNIST in lines[0] and ".data" in lines[0] and ".weights.h5" in lines[1]


def test_a_truncated_checkpoint_is_an_error(tmp_path):
    write(tmp_path / MNIST, original())
    data = tmp_path / f"{MNIST}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(UserError, match="mnist.model-10197"):
        pretrained.evaluation_classifier("mnist", "data", tmp_path)


def test_svhn_checkpoint_lies_at_the_originals_path(tmp_path, monkeypatch, capsys):
    forbid_training(monkeypatch)
    colours = real_images.RealImages(np.zeros([4, 32, 32, 3], np.uint8), np.zeros(4, np.int32))
    monkeypatch.setattr(real_images, "load", lambda dataset, split, data_dir: colours)
    write(tmp_path / "svhn/svhn.model-25654", original("svhn"))
    pretrained.evaluation_classifier("svhn", "data", tmp_path)
    assert "svhn.model-25654" in capsys.readouterr().out
