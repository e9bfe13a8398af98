"""The original's command lines, from inside memorygan/'s place, on tiny data."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lib import tf1
from tests.memorygan import tiny

RUN = Path(__file__).parents[2] / "memorygan/run.py"
FASHION = ["--dataset=fashion", "--lr_decay=False", "--use_augmentation=False"]
CIFAR10 = ["--dataset=cifar10", "--lr_decay=True", "--use_augmentation=True"]


def start(cwd: Path, *flags: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(RUN), *flags], cwd=cwd, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": ""})


def run(cwd: Path, *flags: str) -> str:
    process = start(cwd, *flags)
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-2000:]
    return output


def fails(cwd: Path, *flags: str) -> str:
    """The one line with which a command fails."""
    process = start(cwd, *flags)
    output, errors = process.communicate(timeout=600)
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert process.returncode == 2 and "Traceback" not in errors
    return line


def only(folder: Path) -> Path:
    (entry,) = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return entry


@pytest.fixture
def workplace(tmp_path):
    """A working directory as `memorygan/` is one, with the data sets in its `dataset/`."""
    tiny.write_mnist_like(tmp_path / "dataset/fashion")
    tiny.write_mnist_like(tmp_path / "dataset/affmnist")
    tiny.write_cifar10(tmp_path / "dataset/cifar10")
    return tmp_path


@pytest.mark.parametrize("flags, side, channels", [
    pytest.param(FASHION, 28, 1, id="fashion"),
    pytest.param(["--dataset=affmnist", *FASHION[1:]], 40, 1, id="affmnist", marks=pytest.mark.slow),
    pytest.param(CIFAR10, 32, 3, id="cifar10", marks=pytest.mark.slow)])
def test_training_writes_the_originals_files_and_generation_reads_them(workplace, flags, side, channels):
    output = run(workplace, *flags, "--epoch", "1", *tiny.FLAGS)
    assert "[*] Traing Start : N=40, Batch=8, epoch=1, max_iter=5" in output
    # Two files of images and two of labels, or five training batches and one of tests.
    assert output.count("Extracting dataset/") == (4 if channels == 1 else 6)
    trained = only(workplace / "checkpoint/0")
    assert trained.name.endswith("_MemoryGAN_0.0002")
    assert {path.name for path in trained.iterdir()} == {
        "checkpoint", "model-1.index", "model-1.data-00000-of-00001"}
    samples = workplace / "samples/0" / trained.name
    assert np.load(samples / "samples_1.npy").shape == (800, side, side, channels)
    assert np.load(samples / "noises_1.npy").shape == (800, 2 if channels == 1 else 16)
    assert (samples / "samples_1.png").read_bytes()[:4] == b"\x89PNG"
    assert tf1.read(trained / "model-1")["Variable"] == 8

    directory = trained.relative_to(workplace)
    output = run(workplace, *flags, "--is_train=False", f"--load_cp_dir={directory}", "--samples=20", *tiny.FLAGS)
    assert "[*] Test Start" in output and "saved at" in output
    generated = np.load(workplace / "samples" / directory / "samples_gen_0.npy")
    assert generated.shape == (20, side, side, channels) and generated.dtype == np.float32
    assert np.isfinite(generated).all() and len({image.tobytes() for image in generated}) == 20


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["--model=GAN"], ["--memory_update=kaiser"], ["--noslot_sampling"],
                                   ["--model=GAN", "--discriminator=memory_d"], ["--discriminator=base_d"]],
                         ids=" ".join)
def test_the_papers_ablations_and_what_the_original_cannot_run(workplace, flags):
    run(workplace, *FASHION, "--epoch", "1", *tiny.FLAGS, *flags)
    log = (only(workplace / "logs/0") / "log.jsonl").read_text().splitlines()
    assert all(np.isfinite(list(json.loads(line)["means"].values())).all() for line in log)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(workplace):
    flags = [*FASHION, "--epoch", "30", *tiny.FLAGS]
    run(workplace, *flags, "--exp=whole")
    process = start(workplace, *flags, "--exp=parts")
    logs = workplace / "logs/parts"
    while not any(path.stat().st_size for path in logs.glob("*/log.jsonl")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=600)
    assert process.returncode == 128 + signal.SIGINT
    assert "resuming" in run(workplace, *flags, "--exp=parts")
    whole, parts = (only(workplace / "checkpoint" / exp) for exp in ("whole", "parts"))
    theirs = tf1.read(parts / "model-30")
    for name, value in tf1.read(whole / "model-30").items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    curves = [(only(workplace / "logs" / exp) / "log.jsonl").read_text() for exp in ("whole", "parts")]
    assert curves[0] == curves[1]


@pytest.mark.slow
def test_a_finished_run_is_not_touched_by_the_same_command(workplace):
    flags = [*FASHION, "--epoch", "1", *tiny.FLAGS]
    run(workplace, *flags)
    time.sleep(1.1)  # stamps have a resolution of a second
    run(workplace, *flags)
    assert len(list((workplace / "checkpoint/0").iterdir())) == 2


@pytest.mark.slow
def test_a_run_that_was_killed_after_its_last_resume_point_does_not_train_again(workplace):
    flags = [*FASHION, "--epoch", "1", *tiny.FLAGS]
    run(workplace, *flags)
    finished = only(workplace / "logs/0") / "finished"
    finished.unlink()
    written = {path: path.stat().st_mtime_ns for path in (workplace / "checkpoint").rglob("model-*")}
    run(workplace, *flags)
    assert finished.exists()
    assert {path: path.stat().st_mtime_ns for path in (workplace / "checkpoint").rglob("model-*")} == written


@pytest.mark.slow
def test_training_starts_from_a_checkpoint(workplace):
    run(workplace, *FASHION, "--epoch", "1", *tiny.FLAGS)
    directory = only(workplace / "checkpoint/0").relative_to(workplace)
    output = run(workplace, *FASHION, "--epoch", "1", *tiny.FLAGS, f"--load_cp_dir={directory}", "--exp=more")
    assert "[*] Reading checkpoints..." in output
    assert tf1.read(only(workplace / "checkpoint/more") / "model-1")["Variable"] == 16


@pytest.mark.parametrize("flags, complaint", [
    (["--dataset=fashon"], "--dataset=fashon: fashon is not one of fashion"),
    (["--loss=wasserstein"], "--loss=wasserstein: wasserstein is not one of jsd"),
    (["--is_train=False"], "needs --load_cp_dir"),
    (["--is_train=False", "--load_cp_dir=nowhere"], "no checkpoint in nowhere"),
    (["--dataset=celeba"], "celeba"),
    (["fashion"], "unexpected argument 'fashion'")])
def test_bad_commands_fail_in_one_line(tmp_path, flags, complaint):
    assert complaint in fails(tmp_path, *flags)
    assert not any(tmp_path.iterdir())


def test_a_checkpoint_of_another_data_set_and_a_truncated_file_fail_in_one_line(workplace):
    run(workplace, *FASHION, "--epoch", "1", *tiny.FLAGS)
    directory = only(workplace / "checkpoint/0")
    line = fails(workplace, "--dataset=cifar10", "--is_train=False", f"--load_cp_dir={directory}", *tiny.FLAGS)
    assert "does not fit" in line
    images = workplace / "dataset/fashion/train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:1000])
    assert "train-images-idx3-ubyte.gz" in fails(workplace, *FASHION, *tiny.FLAGS)


def test_flags_are_parsed_without_tensorflow():
    code = "import sys, runpy; runpy.run_path(sys.argv[1]); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, str(RUN)], cwd=RUN.parent).returncode == 0
