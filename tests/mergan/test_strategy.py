"""Several devices and workers compute what one computes; their runs go on where they stopped or were lost."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib import device
from lib.errors import UserError
from lib.mergan import train
from lib.mergan.config import Config
from lib.run import replicas
from tests import process
from tests.shared import once


@pytest.fixture(scope="session")
def start(launch):
    def start(*arguments, workers: int = 0):
        """The program above or, with `workers`, so many of them under lib.workers."""
        launcher = ["-m", "lib.workers", str(workers)] if workers else []
        return launch(process.ROOT).start([*launcher, "-m", "tests.mergan.on_two_devices", *map(str, arguments)])

    return start


def passed(started) -> str:
    out, problems = started.communicate(timeout=1800)
    assert started.returncode == 0, problems[-3000:]
    return out


def await_iteration(started, number: int) -> None:
    next(line for line in started.stdout if line.startswith(f"iter {number}"))


def assert_equal_weights(run: Path, other: Path) -> None:
    one, two = (tf.train.load_checkpoint(str(directory / "model/WGAN_GP.model0-15")) for directory in (run, other))
    for variable in one.get_variable_to_shape_map():
        np.testing.assert_array_equal(one.get_tensor(variable), two.get_tensor(variable), err_msg=variable)


@pytest.fixture(scope="session")
def straight(start, tmp_path_factory):
    """A run over two logical devices, never stopped."""
    return once(tmp_path_factory, "mirrored", lambda path: passed(start("train", path / "run", "mirrored"))) / "run"


def test_two_replicas_step_as_one_device(start):
    assert "mirrored over /device:CPU:0, /device:CPU:1" in passed(start("steps"))


@pytest.mark.slow
@pytest.mark.parametrize("strategy, workers", [("mirrored", 0), ("multi_worker", 2)])
def test_a_stopped_run_goes_on_to_the_very_same_weights(start, tmp_path, straight, strategy, workers):
    started = start("train", tmp_path / "run", strategy, workers=workers)
    await_iteration(started, 0)
    started.send_signal(signal.SIGTERM)
    _, problems = started.communicate()
    assert started.returncode == 128 + signal.SIGTERM, problems[-3000:]
    assert "resuming" in passed(start("train", tmp_path / "run", strategy, workers=workers))
    assert_equal_weights(tmp_path / "run", straight)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(start, tmp_path, straight):
    started = start("train", tmp_path / "run", "multi_worker", workers=2)
    await_iteration(started, 2)
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    os.kill(int(children[1]), signal.SIGKILL)
    _, problems = started.communicate(timeout=1800)
    assert started.returncode == 0 and "starting all of them again" in problems, problems[-3000:]
    assert_equal_weights(tmp_path / "run", straight)


def test_workers_without_a_cluster_are_refused():
    with pytest.raises(UserError, match="TF_CONFIG does not name the workers"):
        device.strategy("multi_worker")


def test_one_device_has_the_whole_batch():
    whole = tf.range(8)
    assert replicas.count() == 1 and replicas.share(whole) is whole
    assert replicas.run_on_all(None, tf.square) is tf.square


@pytest.mark.parametrize("settings, devices, said", [
    ({"consolidation": True}, 2, "--EWC"), ({"generative_replay": True}, 2, "--DGR"),
    ({}, 3, "64 images cannot be shared by 3 devices"),
    ({"replay_alignment": True}, 8, "7 replayed images of a class are fewer than 8 devices")])
def test_what_cannot_be_shared_is_refused(settings, devices, said):
    with pytest.raises(UserError, match=said):
        train._check_shares(Config("mnist", 1, **settings), devices)
