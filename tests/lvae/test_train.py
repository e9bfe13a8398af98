"""Whole runs: the original's command lines on tiny data, their files, interruption and bad input."""

import io
import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from lib import tf1
from lvae.config import EXPERIMENTS
from tests import written
from tests.process import ROOT, Place, passed, refused
from tests.shared import once

FOLDER = ROOT / "lvae"
SCRIPTS = {"mnist": "run_mnist_experiment.py", "fashion": "run_fashion_experiment.py",
           "fashion_dnn": "run_fashion_dnn_experiment.py", "svhn": "run_svhn_experiment.py",
           "cifar": "run_cifar_experiment.py", "mixed_svhn_mnist": "run_mixed_svhn_mnist.py",
           "mixed_cifar_mnist": "run_mixed_cifar_mnist.py", "permuted_mnist": "run_permuted_mnist_experiment.py",
           "digits": "run_digits_experiment.py", "folder": "run_folder_experiment.py",
           "mnist_svhn": "run_mnist_svhn_experiment.py"}
SHORT = "--sequential=True --latent_size=2 --batch_size=2 --min_interval=3 --max_dist_swaps=3"


def line(experiment: str, data, flags: str) -> str:
    below = "/own" if experiment == "folder" else ""
    return f"lvae/{SCRIPTS[experiment]} --data_dir={data}{below} --device=/gpu:0 {flags}"


@pytest.fixture(scope="session")
def whole_run(fashion, tmp_path_factory):
    """A sequential run's directory, and what it printed."""
    def make(path):
        done = Place(path).call(line("fashion_dnn", fashion, f"{SHORT} --test_interval=30"))
        passed(done)
        (path / "output.txt").write_text(done.stdout)
        (path / "errors.txt").write_text(done.stderr)

    path = once(tmp_path_factory, "lvae run", make)
    return path / "experiment_0", (path / "output.txt").read_text(), (path / "errors.txt").read_text()


def test_every_experiment_has_a_script():
    assert set(SCRIPTS) == set(EXPERIMENTS)
    assert {path.name for path in FOLDER.glob("run_*.py")} == set(SCRIPTS.values())


@pytest.mark.full
def test_sequential_run_writes_the_originals_files(whole_run):
    run, output, errors = whole_run
    assert errors.count("running on the CPU") == 1
    for text in ("[Test] avg cost =  ", "Mean losses [VAE 2] = Loss: ", "copying vae0_", "trained 3 models, exiting"):
        assert text in output
    models = run / "models"
    for name in ("loss", "elbo", "recon_loss", "latent_loss"):
        assert np.loadtxt(models / f"mnist_test_{name}.csv").shape == (3,)
    elbo, loss = (np.loadtxt(models / f"mnist_test_{name}.csv") for name in ("elbo", "loss"))
    np.testing.assert_allclose(elbo, loss)  # on test data alone nothing is replayed
    assert np.loadtxt(models / "class_list.csv", delimiter=",").tolist() == [[0, 0], [1, 1], [2, 2]]
    names = {path.name for path in (run / "imgs").iterdir()}
    assert {"vae_2_consistency_discrete_index2_num0.png", "interpolation_discrete1.png"} <= names
    assert any(name.startswith("2d_cluster_vae2_") for name in names)


@pytest.mark.full
def test_last_checkpoint_has_the_originals_variables(whole_run):
    models = whole_run[0] / "models"
    prefix, = (path.with_suffix("") for path in models.glob("vae2_*.cpkt.index"))
    values = tf1.read(prefix)
    assert len(values) == 40  # dense models without normalisation
    name = prefix.name.removesuffix(".cpkt")
    assert values[f"{name}/encoder/encoder/projection/weights"].shape == (512, 2 * 2 + 3)
    assert values[f"{name}/temperature"] == 5.0


@pytest.mark.full
def test_bad_numbers_end_in_one_line_and_leave_the_resume_point_from_before(here, fashion):
    last = refused(here.call(line("fashion_dnn", fashion, f"{SHORT} --learning_rate=1e20 --checkpoint_every=1it")))
    assert re.search(r"^error: \w+ is (nan|inf|-inf) at distribution 1/3 \(fashion 0\) iteration \d+; stopped",
                     last), last
    for index in (here.path / "experiment_0/resume").glob("*.index"):
        point = tf.train.load_checkpoint(str(index.with_suffix("")))
        name, = (name for name in point.get_variable_to_shape_map() if name.startswith("learner"))
        with np.load(io.BytesIO(point.get_tensor(name)), allow_pickle=False) as arrays:
            assert all(np.isfinite(arrays[key]).all() for key in arrays if arrays[key].dtype.kind == "f")


@pytest.mark.full
def test_a_complete_run_is_not_gone_on_with(whole_run, here, fashion):
    shutil.copytree(whole_run[0], here.path / "experiment_0")
    passed(here.call(line("fashion_dnn", fashion, "--epochs=1 --batch_size=20 --reparam_type=discrete")))
    results = json.loads((here.path / "experiment_1" / "results.json").read_text())
    assert len(results) == 1 and results[0]["tests"]["mnist_"]["elbo"] > 0
    again = passed(here.call(line("fashion_dnn", fashion, f"{SHORT} --test_interval=30")))
    assert "experiment_0 is complete; " in again and not (here.path / "experiment_2").exists()
    evaluate = again.rpartition(" --test ")[2].strip()  # takes batch size and all from the run
    passed(here.call(line("fashion_dnn", fashion, f"--test {evaluate}")))


@pytest.mark.full
def test_a_run_that_is_not_sequential_prints_its_epochs_as_the_original(here, fashion):
    printed = passed(here.call(line("fashion_dnn", fashion, "--epochs=2 --batch_size=20")))
    number = r"-?\d+\.\d{4}"
    epochs = re.findall(rf"^\[Epoch: (\d{{4}})\] current cost =  {number} \|  avg cost =  {number} \|  "
                        rf"latent cost =  {number} \|  recon cost =  {number}$", printed, re.M)
    assert epochs == ["0001", "0002"] and "loss[total_iter" not in printed


@pytest.mark.parametrize("flags, message", [
    ("--method=ewc --sequential", "--ewc_gamma"),
    ("--ewc_gamma=1", "--method=ewc"),
    ("--batch_size=0", "batch_size"),
    ("left over", "'left'"),
    ("--allow_soft_placement=False", "no such device"),
    ("--data_dir=/nowhere", "fashion"),
    ("--test --load_model=/none.cpkt", "none.cpkt"),
])
def test_bad_input_ends_in_one_line(here, fashion, flags, message):
    assert message in refused(here.call(line("fashion_dnn", fashion, flags)))
    assert not (here.path / "experiment_0").exists()


@pytest.fixture(scope="session")
def every_data_set(tmp_path_factory):
    def make(folder):
        written.mnist_like(folder / "MNIST_data", 5100, 20)  # the first 5000 are for validation
        written.mnist_like(folder / "Fashion_data", 100, 20)
        written.svhn_files(folder / "SVHN_data/cropped", 200, 100)
        written.cifar_files(folder / "cifar10", 80)
        written.classes(folder / "own", {"a": 60, "b": 60})

    return once(tmp_path_factory, "lvae_data", make)


# Convolutional networks take a minute where dense ones take seconds.
@pytest.mark.parametrize("experiment", [
    pytest.param(name, marks=[pytest.mark.full] + [pytest.mark.slow] * (EXPERIMENTS[name].architecture.body == "cnn"))
    for name in SCRIPTS])
@pytest.mark.parametrize("flags", [
    "--sequential=True --batch_size=2 --min_interval=1 --max_dist_swaps=2 --frechet",
    "--sequential=False --batch_size=50 --epochs=1"], ids=["sequential", "at once"])
def test_every_script_runs_to_its_end(here, every_data_set, experiment, flags):
    passed(here.call(line(experiment, every_data_set, f"--use_bn=True --latent_size=2 --test_interval=0 {flags}")))
    results = json.loads((here.path / "experiment_0" / "results.json").read_text())
    assert len(results) == (2 if "--sequential=True" in flags else 1)
    for result in results:
        for means in result["tests"].values():
            assert np.isfinite(list(means.values())).all()
    assert list((here.path / "experiment_0" / "models").glob("*.cpkt.index"))
