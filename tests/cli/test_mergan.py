"""The original command lines of MeRGAN, as written, in real processes on small data."""

import json
import re
import signal

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.cli.conftest import ROOT

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
SHORT = " --iters 2"
FEWER = " --tasks 3"  # where ten would only take longer


def passed(result):
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def directory(workplace, line):
    return workplace.path / "result" / re.search(r"--result_path (?:result/)?(\S+)/", line).group(1)


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


@pytest.mark.parametrize("line", TRAININGS)
def test_training(workplace, line):
    whole = "--RA" in line or "joint" in line  # what `test_testing` needs
    out = passed(workplace.run(line + SHORT + FEWER * (not whole)))
    assert "*** create sample dir" in out and "Uppercase local vars:" in out
    assert re.search(r"^iter 0\nd-cost\t-?\d+\.\d{6}$", out, re.M) and re.search(r"^g-cost\t", out, re.M)
    path = directory(workplace, line)
    check_joint_run(path) if "joint" in line else check_task_run(path, range(10 if whole else 3))
    assert ("RA-cost" in out) == ("--RA" in line) and ("JTR_gen_cost" in out) == ("--JTR" in line)


@pytest.mark.parametrize("line", TESTS)
def test_testing(workplace, line):
    """After `test_training`, on what it wrote."""
    out = passed(workplace.run(line + SHORT))
    metrics = json.loads((directory(workplace, line) / "metrics.json").read_text())
    if "joint" in line:
        assert len(re.findall(r"^Task: (5|10)   All classes accuracy: [\d.e-]+$", out, re.M)) == 2
    else:
        printed = re.findall(r"^Task: (\d+)   Class: (\d)   Accuracy: ([\d.e-]+)$", out, re.M)
        assert [(int(t), int(c)) for t, c, _ in printed] == [(5, c) for c in range(5)] + [(10, c) for c in range(10)]
        assert len(re.findall(r"^Average accuracy: [\d.e-]+$", out, re.M)) == 2
        assert metrics["tasks"][1]["accuracy"]["3"] == float(printed[8][2])
    assert [entry["task"] for entry in metrics["tasks"]] == [5, 10]


@pytest.mark.slow
@pytest.mark.parametrize("line", SVHN)
def test_svhn(workplace, line):
    out = passed(workplace.run(line + SHORT))
    if "--test" in line:
        assert "accuracy: 0." in out
    else:
        path = directory(workplace, line)
        check_joint_run(path) if "joint" in line else check_task_run(path, range(10))


@pytest.mark.slow
def test_lsun(lsun_workplace):
    """Two scenes by either method, and their evaluation."""
    def run(line):
        small = line.replace("python ", "python tests/cli/small_batches.py ") + SHORT + " --tasks 2"
        return passed(lsun_workplace.run(small, timeout=3600))

    for line in LSUN:
        out = run(line)
        check_task_run(directory(lsun_workplace, line), ["bedroom", "kitchen"], side=64)
        assert ("RA-cost" in out) == ("--RA" in line) and ("JTR_disc_cost" in out) == ("--JTR" in line)
    out = run("python mergan.py --dataset lsun --test --result_path result/test_lsun_RA")
    assert re.search(r"classifier pretrain/lsun10/lsun10.model-100002: accuracy [\d.]+% on 16 real test images", out)
    printed = re.findall(r"^Task: (\d)   Class: (\w+)   Accuracy: [\d.e-]+$", out, re.M)
    assert printed == [("1", "bedroom"), ("2", "bedroom"), ("2", "kitchen")]


def test_ra_and_jtr_together_start_from_a_model(workplace):
    """--load_model: training begins with the second task, whatever the checkpoint is; both replays at once."""
    model = "result/mnist_SFT/model/WGAN_GP.model0-1"
    out = passed(workplace.run(f"mergan.py --dataset=mnist --RA --JTR --RA_factor=1e-3 --load_model={model} "
                               "--result_path=both --iters=2 --tasks=3"))
    assert "RA-cost" in out and "JTR_gen_cost" in out
    names = {file.name for file in (workplace.path / "result/both/model").iterdir()}
    assert "WGAN_GP.model1-1.index" in names and "WGAN_GP.model0-1.index" not in names


@pytest.mark.parametrize("flags, rate", [("--dataset mnist", 1e-4), ("--dataset digits", 1e-3),
                                         ("--dataset mnist --learning_rate 3e-3", 3e-3)])
def test_learning_rate(workplace, flags, rate):
    """Adam's first step moves each weight by the learning rate, whatever its gradient; iteration 0 has no such step."""
    passed(workplace.run(f"mergan.py {flags} --iters=2 --tasks=1 --result_path=rate_{rate}"))
    before, after = (tf.train.load_checkpoint(str(workplace.path / f"result/rate_{rate}/model/WGAN_GP.model0-{i}"))
                     for i in (0, 1))
    name = "New.Generator.Input/New.Generator.Input.W"
    moved = np.abs(after.get_tensor(name) - before.get_tensor(name))
    assert np.isclose(np.median(moved), rate, rtol=1e-3) and moved.max() < 1.001 * rate


def test_a_stopped_run_goes_on_to_the_very_same_weights(workplace):
    line = TRAININGS[1].replace("mnist_RA", "stopped_RA") + SHORT + FEWER
    process = workplace.start(line)
    for text in process.stdout:
        if text.startswith("iter 3"):
            process.send_signal(signal.SIGTERM)
            break
    _, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM and "goes on from here" in errors
    assert re.search("resuming result/stopped_RA_1e_3 at phase [12]", passed(workplace.run(line)))
    for name in (1, 2):
        straight, resumed = (tf.train.load_checkpoint(str(workplace.path / f"result/{run}_RA_1e_3/model" /
                                                          f"WGAN_GP.model{name}-1")) for run in ("mnist", "stopped"))
        for variable in straight.get_variable_to_shape_map():
            np.testing.assert_array_equal(straight.get_tensor(variable), resumed.get_tensor(variable))
    logs = [(workplace.path / f"result/{run}_RA_1e_3/log.jsonl").read_text() for run in ("mnist", "stopped")]
    assert logs[1] and logs[0].startswith(logs[1])


def test_a_finished_run_is_left_as_it_is(workplace):
    assert "is complete" in passed(workplace.run(TRAININGS[3] + SHORT))


def test_the_readme_has_the_command_lines():
    readme = re.sub(r" +", " ", (ROOT / "README.md").read_text())
    for line in TRAININGS + TESTS:
        assert re.sub(r" +", " ", line) in readme
