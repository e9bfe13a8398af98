"""The original's command lines, from inside memorygan/'s place, on tiny data."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lib import tf1
from tests import written
from tests.memorygan import tiny
from tests.process import ROOT, Place, passed, refused
from tests.shared import once

SIZES = " ".join(tiny.FLAGS)
FASHION = f"memorygan/run.py --dataset=fashion --lr_decay=False --use_augmentation=False {SIZES}"
AFFMNIST = FASHION.replace("fashion", "affmnist")
CIFAR10 = f"memorygan/run.py --dataset=cifar10 --lr_decay=True --use_augmentation=True {SIZES}"


def only(folder: Path) -> Path:
    (entry,) = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return entry


@pytest.fixture
def workplace(tmp_path, fashion):
    """A working directory as `memorygan/` is one, with the data sets in its `dataset/`."""
    for name in ("fashion", "affmnist"):
        shutil.copytree(fashion / "fashion", tmp_path / "dataset" / name)
    return Place(tmp_path)


@pytest.fixture
def trained(tmp_path_factory, workplace):
    """A place where an epoch of Fashion-MNIST has been trained; the checkpoint's directory in it."""
    def make(path):
        shutil.copytree(workplace.path / "dataset", path / "dataset")
        passed(Place(path).call(f"{FASHION} --epoch=1"))

    shutil.copytree(once(tmp_path_factory, "memorygan epoch", make), workplace.path, symlinks=True, dirs_exist_ok=True)
    return only(workplace.path / "checkpoint/0").relative_to(workplace.path)


@pytest.mark.full
@pytest.mark.parametrize("line, side, channels", [
    (FASHION, 28, 1),
    # Narrower, all its images after four iterations are 0.5 within a few roundings, and some are the same.
    (f"{AFFMNIST} --f_dim=32", 40, 1),
    (CIFAR10, 32, 3)], ids=["fashion", "affmnist", "cifar10"])
def test_training_writes_the_originals_files_and_generation_reads_them(workplace, line, side, channels):
    written.cifar_files(workplace.path / "dataset/cifar10", 8)
    output = passed(workplace.call(f"{line} --epoch 1"))
    assert "[*] Traing Start : N=40, Batch=8, epoch=1, max_iter=5" in output
    # Two files of images and two of labels, or five training batches and one of tests.
    assert output.count("Extracting dataset/") == (4 if channels == 1 else 6)
    trained = only(workplace.path / "checkpoint/0")
    assert trained.name.endswith("_MemoryGAN_0.0002")
    assert {path.name for path in trained.iterdir()} == {
        "checkpoint", "model-1.index", "model-1.data-00000-of-00001", "model-1.meta"}
    samples = workplace.path / "samples/0" / trained.name
    assert np.load(samples / "samples_1.npy").shape == (800, side, side, channels)
    assert np.load(samples / "noises_1.npy").shape == (800, 2 if channels == 1 else 16)
    assert (samples / "samples_1.png").read_bytes()[:4] == b"\x89PNG"
    assert tf1.read(trained / "model-1")["Variable"] == 8

    directory = trained.relative_to(workplace.path)
    # What judges colour takes long to train.
    output = passed(workplace.call(f"{line} --is_train=False --load_cp_dir={directory} --samples=20 "
                                   f"--inception_score={channels == 1} --every_epoch={channels == 1}"))
    assert ("inception score" in output) == ("epoch 1: inception score" in output) == (channels == 1)
    assert "[*] Test Start" in output and "saved at" in output
    generated = np.load(workplace.path / "samples" / directory / "samples_gen_0.npy")
    assert generated.shape == (20, side, side, channels) and generated.dtype == np.float32
    assert np.isfinite(generated).all() and len({image.tobytes() for image in generated}) == 20


@pytest.mark.full
def test_a_complete_run_is_not_trained_again_and_knows_its_sizes(workplace, trained):
    assert "is complete; " in passed(workplace.call(f"{FASHION} --epoch=1"))
    assert len([*(workplace.path / "logs/0").iterdir()]) == 1
    passed(workplace.call(f"memorygan/run.py --is_train=False --load_cp_dir={trained} --samples=8 --figures=False "
                          "--inception_score=False"))


@pytest.mark.full
@pytest.mark.parametrize("flags", ["--model=GAN", "--discriminator=base_d --memory_update=kaiser --noslot_sampling"])
def test_the_papers_ablations_and_what_the_original_cannot_run(workplace, flags):
    passed(workplace.call(f"{FASHION} --epoch 1 {flags}"))
    log = (only(workplace.path / "logs/0") / "log.jsonl").read_text().splitlines()
    assert all(np.isfinite(list(json.loads(line)["means"].values())).all() for line in log)


@pytest.mark.full
def test_a_run_that_was_killed_after_its_last_resume_point_does_not_train_again(workplace, trained):
    finished = only(workplace.path / "logs/0") / "finished"
    finished.unlink()
    before = {path: path.stat().st_mtime_ns for path in (workplace.path / "checkpoint").rglob("model-*")}
    passed(workplace.call(f"{FASHION} --epoch=1"))
    assert finished.exists()
    assert {path: path.stat().st_mtime_ns for path in (workplace.path / "checkpoint").rglob("model-*")} == before


@pytest.mark.full
def test_training_starts_from_a_checkpoint(workplace, trained):
    output = passed(workplace.call(f"{FASHION} --epoch 1 --load_cp_dir={trained} --exp=more"))
    assert "[*] Reading checkpoints..." in output
    assert tf1.read(only(workplace.path / "checkpoint/more") / "model-1")["Variable"] == 16


@pytest.mark.parametrize("flags, complaint", [
    ("--dataset=fashon", "--dataset=fashon: fashon is not one of fashion"),
    ("--loss=wasserstein", "--loss=wasserstein: wasserstein is not one of jsd"),
    ("--is_train=False", "needs --load_cp_dir"),
    ("--is_train=False --load_cp_dir=nowhere", "no checkpoint in nowhere"),
    ("--dataset=celeba", "celeba"),
    ("fashion", "unexpected argument 'fashion'")])
def test_bad_commands_fail_in_one_line(here, flags, complaint):
    assert complaint in refused(here.call(f"memorygan/run.py {flags}"))
    assert not any(here.path.iterdir())


@pytest.mark.full
def test_a_checkpoint_of_another_data_set_and_a_truncated_file_fail_in_one_line(workplace, trained):
    line = FASHION.replace("fashion", "cifar10")
    assert "does not fit" in refused(workplace.call(f"{line} --is_train=False --load_cp_dir={trained}"))
    images = workplace.path / "dataset/fashion/train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:1000])
    assert "train-images-idx3-ubyte.gz" in refused(workplace.call(FASHION))


def test_flags_are_parsed_without_tensorflow(launch):
    code = "import sys, runpy; runpy.run_path('run.py'); sys.exit('tensorflow' in sys.modules)"
    passed(launch(ROOT / "memorygan").run(["-c", code]))
