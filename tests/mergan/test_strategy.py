"""Several devices compute what one computes; a run over several goes on where it stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib import replicas
from lib.errors import UserError
from lib.mergan import train
from lib.mergan.config import Config

ROOT = Path(__file__).parent.parent.parent


def start(*arguments) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "tests.mergan.on_two_devices", *map(str, arguments)], cwd=ROOT,
                            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def passed(process) -> str:
    out, problems = process.communicate(timeout=1800)
    assert process.returncode == 0, problems[-3000:]
    return out


def test_two_replicas_step_as_one_device():
    assert "mirrored over /device:CPU:0, /device:CPU:1" in passed(start("steps"))


@pytest.mark.slow
def test_a_stopped_run_over_two_devices_goes_on_to_the_very_same_weights(tmp_path):
    passed(start("train", tmp_path / "straight"))
    process = start("train", tmp_path / "stopped")
    for line in process.stdout:
        if line.startswith("iter 0"):
            process.send_signal(signal.SIGTERM)
            break
    _, problems = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, problems[-3000:]
    assert "resuming" in passed(start("train", tmp_path / "stopped"))
    straight, resumed = (tf.train.load_checkpoint(str(tmp_path / run / "model/WGAN_GP.model0-3"))
                         for run in ("straight", "stopped"))
    for variable in straight.get_variable_to_shape_map():
        np.testing.assert_array_equal(straight.get_tensor(variable), resumed.get_tensor(variable))


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
