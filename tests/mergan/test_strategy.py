"""Several devices and workers: runs go on where they stopped or were lost; what cannot be shared is refused."""

import os
import signal
from pathlib import Path

import pytest
import tensorflow as tf

from lib import device
from lib.errors import UserError
from lib.mergan import train
from lib.mergan.config import Config
from lib.run import replicas
from tests.several_devices import assert_equal_checkpoints, passed, starter, stop_at
from tests.shared import once


@pytest.fixture(scope="session")
def start(launch):
    return starter(launch, "tests.mergan.on_two_devices")


def assert_equal_weights(run: Path, other: Path) -> None:
    for task in (0, 1):
        assert_equal_checkpoints(*(directory / f"model/WGAN_GP.model{task}-7" for directory in (run, other)))


@pytest.fixture(scope="session")
def straight(start, tmp_path_factory):
    """A run over two logical devices, never stopped."""
    return once(tmp_path_factory, "mirrored", lambda path: passed(start("train", path / "run", "mirrored"))) / "run"


@pytest.mark.slow
@pytest.mark.parametrize("strategy, workers", [("mirrored", 0), ("multi_worker", 2)])
def test_a_stopped_run_goes_on_to_the_very_same_weights(start, tmp_path, straight, strategy, workers):
    stop_at(start("train", tmp_path / "run", strategy, workers=workers), "iter 9")  # of the second task
    assert "resuming" in passed(start("train", tmp_path / "run", strategy, workers=workers))
    assert_equal_weights(tmp_path / "run", straight)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(start, tmp_path, straight):
    started = start("train", tmp_path / "run", "multi_worker", workers=2)
    next(line for line in started.stdout if line.startswith("iter 2"))
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
    assert replicas.count() == 1
    assert all(part(whole) is whole for part in (replicas.share, replicas.deal, replicas.gather, replicas.mean,
                                                 replicas.total))
    assert replicas.run_on_all(None, tf.square) is tf.square


@pytest.mark.parametrize("settings, devices, said", [
    ({}, 3, "64 images cannot be shared by 3 devices"),
    ({"replay_alignment": True}, 8, "7 replayed images of a class are fewer than 8 devices")])
def test_what_cannot_be_shared_is_refused(settings, devices, said):
    with pytest.raises(UserError, match=said):
        train._check_shares(Config("mnist", 1, **settings), devices)
