"""The original command lines of MeRGAN, as written, on small data; in processes of their own in test_end_to_end."""

import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lib import tf1
from tests import tf1_program
from tests.cli.conftest import result_name
from tests.process import ROOT, passed

TRAININGS = [
    "python mergan.py --dataset mnist --result_path mnist_SFT/",
    "python mergan.py --dataset mnist --RA --RA_factor 1e-3  --result_path mnist_RA_1e_3/",
    "python mergan.py --dataset mnist --JTR --result_path mnist_JTR/",
    "python joint.py --dataset mnist --result_path mnist_joint/",
]
TESTS = [
    "python mergan.py --dataset mnist --test  --result_path result/mnist_RA_1e_3/",
    "python joint.py --dataset mnist --test --result_path result/mnist_joint/",
]
SVHN = [line.replace("mnist", "svhn").replace("1e-3", "1e-2").replace("1e_3", "1e_2")
        for line in (TRAININGS[1], TRAININGS[3], *TESTS)]
LSUN = [
    "python mergan.py --dataset lsun --RA --RA_factor 1e-3 --result_path test_lsun_RA/",
    "python mergan.py --dataset lsun --JTR --result_path test_lsun_JTR/",
]
# Two iterations, and two tasks where ten would only take longer.
ALL_TASKS = [f"{line} --iters 2" for line in TRAININGS]
SFT, RA, JTR = (f"{line} --tasks 2" for line in ALL_TASKS[:3])
JOINT = ALL_TASKS[3]


def check_task_run(path, classes, side=32):
    names = {file.name for file in (path / "samples").iterdir()}
    assert {f"samples_groundtruth_{name}.png" for name in classes} <= names
    assert {f"Task_{learned}_Iter_{i}_{name}.png" for learned in range(1, len(classes) + 1) for i in (0, 1)
            for name in classes[:learned]} <= names
    with Image.open(path / f"samples/Task_{len(classes)}_Iter_1_{classes[0]}.png") as picture:
        assert picture.size == (10 * side, 10 * side)
    for name in classes:
        for iteration in (0, 1):
            assert (path / f"model/WGAN_GP.model{name}-{iteration}.index").exists()
    assert tf.train.latest_checkpoint(str(path / "model")).endswith(f"WGAN_GP.model{classes[-1]}-1")
    assert {"log.pkl", "log.jsonl", "settings.json", "g-cost.jpg", "d-cost.jpg", "wgan-pure.jpg",
            "penalty.jpg"} <= {file.name for file in path.iterdir()}


def check_joint_run(path):
    names = {file.name for file in (path / "samples").iterdir()}
    assert {"samples_groundtruth_4.png", "samples_0.png", "samples_1.png"} <= names
    assert (path / "model/WGAN_GP.model-1.index").exists()


@pytest.mark.full
@pytest.mark.parametrize("line", [SFT, RA, JTR, *(pytest.param(line, marks=pytest.mark.slow)
                                                  for line in (ALL_TASKS[1], JOINT))])
def test_training(trained, line):
    out, path = trained(line)
    assert "*** create sample dir" in out and "Uppercase local vars:" in out
    assert re.search(r"^iter 0\nd-cost\t-?\d+\.\d{6}$", out, re.M) and re.search(r"^g-cost\t", out, re.M)
    check_joint_run(path) if line == JOINT else check_task_run(path, range(2 if "--tasks" in line else 10))
    assert ("RA-cost" in out) == ("--RA" in line) and ("JTR_gen_cost" in out) == ("--JTR" in line)


def copied(run, workplace):
    """A training's directory in another place, where a test may add to it."""
    return shutil.copytree(run.directory, workplace.path / "result" / run.directory.name)


def as_tf1_leaves_it(path):
    """Take away what only this program writes; the checkpoints that are tested are a plain TF1 `Saver`'s."""
    for name in ("settings.json", "log.jsonl", "circumstances.json"):
        (path / name).unlink()
    for prefix in filter(tf1.exists, (path / f"model/WGAN_GP.model{name}-1" for name in ("", 0, 1, 4, 9))):
        values = tf1.read(prefix)
        for file in prefix.parent.glob(f"{prefix.name}.*"):
            file.unlink()
        tf1_program.save(prefix, values)
    return path


@pytest.mark.full
def test_what_the_tf1_program_leaves_is_tested(trained, workplace):
    as_tf1_leaves_it(copied(trained(RA), workplace))
    out = passed(workplace.call(f"{TESTS[0]} --iters 2 --tasks 2"))
    assert re.findall(r"^Task: (\d+)   Class: (\d)   Accuracy: [\d.e-]+$", out, re.M) == [("2", "0"), ("2", "1")]


@pytest.mark.slow
@pytest.mark.parametrize("line, training", list(zip(TESTS, (ALL_TASKS[1], JOINT))))
def test_testing(trained, workplace, line, training):
    path = as_tf1_leaves_it(copied(trained(training), workplace))
    out = passed(workplace.call(f"{line} --iters 2"))
    metrics = json.loads((path / "metrics.json").read_text())
    if "joint" in line:
        assert len(re.findall(r"^Task: (5|10)   All classes accuracy: [\d.e-]+$", out, re.M)) == 2
    else:
        printed = re.findall(r"^Task: (\d+)   Class: (\d)   Accuracy: ([\d.e-]+)$", out, re.M)
        assert [(int(t), int(c)) for t, c, _ in printed] == [(5, c) for c in range(5)] + [(10, c) for c in range(10)]
        assert len(re.findall(r"^Average accuracy: [\d.e-]+$", out, re.M)) == 2
        assert metrics["tasks"][1]["accuracy"]["3"] == float(printed[8][2])
    assert [entry["task"] for entry in metrics["tasks"]] == [5, 10]


@pytest.mark.slow
@pytest.mark.parametrize("line, test", list(zip(SVHN, SVHN[2:])))
def test_svhn(workplace, line, test):
    passed(workplace.call(f"{line} --iters 2"))
    path = workplace.path / "result" / result_name(line)
    check_joint_run(path) if "joint" in line else check_task_run(path, range(10))
    assert "accuracy: 0." in passed(workplace.call(f"{test} --iters 2"))


@pytest.mark.slow
def test_lsun(lsun_workplace):
    """Two scenes by either method, and their evaluation."""
    def run(line):
        small = line.replace("python ", "python tests/cli/small_batches.py ") + " --iters 2 --tasks 2"
        return passed(lsun_workplace.run(small, timeout=3600))

    for line in LSUN:
        out = run(line)
        check_task_run(lsun_workplace.path / "result" / result_name(line), ["bedroom", "kitchen"], side=64)
        assert ("RA-cost" in out) == ("--RA" in line) and ("JTR_disc_cost" in out) == ("--JTR" in line)
    out = run("python mergan.py --dataset lsun --test --result_path result/test_lsun_RA")
    assert re.search(r"classifier pretrain/lsun10/lsun10.model-100002: accuracy [\d.]+% on 16 real test images", out)
    printed = re.findall(r"^Task: (\d)   Class: (\w+)   Accuracy: [\d.e-]+$", out, re.M)
    assert printed == [("1", "bedroom"), ("2", "bedroom"), ("2", "kitchen")]


@pytest.mark.full
def test_ra_and_jtr_together_start_from_a_model(trained, workplace):
    """--load_model: training begins with the second task, whatever the checkpoint is; both replays at once."""
    model = trained(SFT).directory / "model/WGAN_GP.model0-1"
    out = passed(workplace.call(f"mergan.py --dataset=mnist --RA --JTR --RA_factor=1e-3 --load_model={model} "
                                "--result_path=both --iters=2 --tasks=2"))
    assert "RA-cost" in out and "JTR_gen_cost" in out
    names = {file.name for file in (workplace.path / "result/both/model").iterdir()}
    assert "WGAN_GP.model1-1.index" in names and "WGAN_GP.model0-1.index" not in names


@pytest.mark.full
@pytest.mark.parametrize("line, rate", [
    (SFT, 1e-4), ("mergan.py --dataset digits --iters=2 --tasks=1 --result_path=default", 1e-3),
    ("mergan.py --dataset mnist --learning_rate 3e-3 --iters=2 --tasks=1 --result_path=given", 3e-3)])
def test_learning_rate(trained, line, rate):
    """Adam's first step moves each weight by the learning rate, whatever its gradient; iteration 0 has no such step."""
    before, after = (tf.train.load_checkpoint(str(trained(line).directory / f"model/WGAN_GP.model0-{i}"))
                     for i in (0, 1))
    name = "New.Generator.Input/New.Generator.Input.W"
    moved = np.abs(after.get_tensor(name) - before.get_tensor(name))
    assert np.isclose(np.median(moved), rate, rtol=1e-3) and moved.max() < 1.001 * rate


@pytest.mark.full
def test_a_finished_run_is_left_as_it_is(trained, workplace):
    copied(trained(SFT), workplace)
    assert "is complete" in passed(workplace.call(SFT))


def test_the_readme_has_the_command_lines():
    readme = re.sub(r" +", " ", (ROOT / "lib/mergan/README.md").read_text())
    for line in TRAININGS + TESTS:
        assert re.sub(r" +", " ", line) in readme
