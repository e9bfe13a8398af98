"""Whole runs: the original's command lines on tiny data, their files, interruption and bad input."""

import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from lib import tf1
from lvae.config import EXPERIMENTS
from tests.data import written
from tests.lvae import tiny

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "lvae"
SCRIPTS = {"mnist": "run_mnist_experiment.py", "fashion": "run_fashion_experiment.py",
           "fashion_dnn": "run_fashion_dnn_experiment.py", "svhn": "run_svhn_experiment.py",
           "cifar": "run_cifar_experiment.py", "mixed_svhn_mnist": "run_mixed_svhn_mnist.py",
           "mixed_cifar_mnist": "run_mixed_cifar_mnist.py", "permuted_mnist": "run_permuted_mnist_experiment.py"}
SHORT = ("--sequential=True", "--latent_size=2", "--batch_size=2", "--min_interval=3", "--max_dist_swaps=3")


def _command(script: str, base, data, *flags: str) -> list[str]:
    return [sys.executable, str(FOLDER / script), f"--base_dir={base}", f"--data_dir={data}", "--device=/gpu:0", *flags]


def _environment() -> dict:
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def _run(script: str, base, data, *flags: str, cwd=FOLDER) -> subprocess.CompletedProcess:
    return subprocess.run(_command(script, base, data, *flags), cwd=cwd, env=_environment(), capture_output=True,
                          text=True)


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    tiny.write(folder / "Fashion_data", 40, 20)
    return folder


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, fashion):
    base = tmp_path_factory.mktemp("whole")
    return base, _run(SCRIPTS["fashion_dnn"], base, fashion, *SHORT, "--test_interval=30")


def test_every_experiment_has_a_script():
    assert set(SCRIPTS) == set(EXPERIMENTS)
    assert {path.name for path in FOLDER.glob("run_*.py")} == set(SCRIPTS.values())


def test_sequential_run_writes_the_originals_files(whole_run):
    base, done = whole_run
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("running on the CPU") == 1
    for text in ("[Test] avg cost = ", "Mean losses [VAE 2] = Loss: ", "copying vae0_", "trained 3 models, exiting"):
        assert text in done.stdout
    models = base / "experiment_0" / "models"
    for name in ("loss", "elbo", "recon_loss", "latent_loss"):
        assert np.loadtxt(models / f"mnist_test_{name}.csv").shape == (3,)
    elbo, loss = (np.loadtxt(models / f"mnist_test_{name}.csv") for name in ("elbo", "loss"))
    np.testing.assert_allclose(elbo, loss)  # on test data alone nothing is replayed
    assert np.loadtxt(models / "class_list.csv", delimiter=",").tolist() == [[0, 0], [1, 1], [2, 2]]
    names = {path.name for path in (base / "experiment_0" / "imgs").iterdir()}
    assert {"vae_2_consistency_discrete_index2_num0.png", "mnist_interpolation_discrete1.png"} <= names
    assert any(name.startswith("2d_cluster_vae2_") for name in names)


def test_last_checkpoint_has_the_originals_variables(whole_run):
    models = whole_run[0] / "experiment_0" / "models"
    prefix, = (path.with_suffix("") for path in models.glob("vae2_*.cpkt.index"))
    values = tf1.read(prefix)
    assert len(values) == 40  # dense models without normalisation
    name = prefix.name.removesuffix(".cpkt")
    assert values[f"{name}/encoder/encoder/projection/weights"].shape == (512, 2 * 2 + 3)
    assert values[f"{name}/temperature"] == 5.0


def test_interrupted_run_ends_as_the_whole_one(whole_run, tmp_path, fashion):
    flags = (*SHORT, "--test_interval=30")
    process = subprocess.Popen(_command(SCRIPTS["fashion_dnn"], tmp_path, fashion, *flags), cwd=FOLDER,
                               env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if "[model=1]" in line:  # within the second distribution
            process.send_signal(signal.SIGTERM)
            break
    process.stdout.read()
    assert process.wait() == 128 + signal.SIGTERM
    again = _run(SCRIPTS["fashion_dnn"], tmp_path, fashion, *flags)
    assert again.returncode == 0 and "resuming" in again.stdout, again.stderr
    for path in sorted((whole_run[0] / "experiment_0" / "models").glob("vae*.cpkt.index")):
        ours, theirs = tf1.read(tmp_path / "experiment_0" / "models" / path.stem), tf1.read(path.with_suffix(""))
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
    assert ((tmp_path / "experiment_0" / "results.json").read_text()
            == (whole_run[0] / "experiment_0" / "results.json").read_text())


def test_bad_numbers_end_in_one_line_and_leave_the_resume_point_from_before(tmp_path, fashion):
    done = _run(SCRIPTS["fashion_dnn"], tmp_path, fashion, *SHORT, "--learning_rate=1e20", "--checkpoint_every=1it")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert re.search(r"^error: \w+ is (nan|inf|-inf) at distribution 1/3 \(fashion 0\) iteration \d+; stopped", last), last
    for index in (tmp_path / "experiment_0/resume").glob("*.index"):
        point = tf.train.load_checkpoint(str(index.with_suffix("")))
        name, = (name for name in point.get_variable_to_shape_map() if name.startswith("learner"))
        with np.load(io.BytesIO(point.get_tensor(name)), allow_pickle=False) as arrays:
            assert all(np.isfinite(arrays[key]).all() for key in arrays if arrays[key].dtype.kind == "f")


def test_a_complete_run_is_not_gone_on_with(whole_run, fashion):
    base, _ = whole_run
    done = _run(SCRIPTS["fashion_dnn"], base, fashion, "--epochs=1", "--batch_size=20", "--reparam_type=discrete")
    assert done.returncode == 0, done.stderr
    results = json.loads((base / "experiment_1" / "results.json").read_text())
    assert len(results) == 1 and results[0]["tests"]["mnist_"]["elbo"] > 0


@pytest.mark.parametrize("flags, message", [
    (("--method=ewc", "--sequential"), "--ewc_gamma"),
    (("--ewc_gamma=1",), "--method=ewc"),
    (("--batch_size=0",), "batch_size"),
    (("left over",), "left over"),
    (("--allow_soft_placement=False",), "no such device"),
    (("--data_dir=/nowhere",), "fashion"),
])
def test_bad_input_ends_in_one_line(tmp_path, fashion, flags, message):
    done = _run(SCRIPTS["fashion_dnn"], tmp_path, fashion, *flags)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and message in last and "Traceback" not in done.stderr
    assert not (tmp_path / "experiment_0").exists()


@pytest.fixture(scope="module")
def every_data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("every")
    tiny.write(folder / "MNIST_data", 5100, 20)  # the first 5000 are for validation
    tiny.write(folder / "Fashion_data", 100, 20)
    for name, count in (("train", 200), ("test", 100)):
        written.put(folder / f"SVHN_data/cropped/{name}_32x32.mat", written.mat(written.svhn(count)))
    for name, data in written.cifar_members(80).items():
        written.put(folder / "cifar10" / name, data)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("flags", [
    ("--sequential=True", "--batch_size=2", "--min_interval=1", "--max_dist_swaps=2", "--frechet"),
    ("--sequential=False", "--batch_size=50", "--epochs=1")], ids=["sequential", "at once"])
@pytest.mark.parametrize("experiment", SCRIPTS)
def test_every_script_runs_to_its_end(tmp_path, every_data_set, experiment, flags):
    done = _run(SCRIPTS[experiment], tmp_path, every_data_set, "--use_bn=True", "--latent_size=2", "--test_interval=0",
                *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads((tmp_path / "experiment_0" / "results.json").read_text())
    assert len(results) == (2 if "--sequential=True" in flags else 1)
    for result in results:
        for means in result["tests"].values():
            assert np.isfinite(list(means.values())).all()
    assert list((tmp_path / "experiment_0" / "models").glob("*.cpkt.index"))
