"""Checkpoint files under names, and with contents, that TensorFlow stumbles over."""

import os

import numpy as np
import pytest
import tensorflow as tf

from lib import tf1
from lib.errors import UserError
from lib.run.options import Options
from lib.run.runner import Run

NAMES = ["mnist[RA,1e-3]", "run[1]", "a]b", "back\\slash", "star*", "what?", "{a,b}", "with space", "quote'\"", "ünï",
         "-x", "%d", "#1"]


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_read_where_it_was_written(tmp_path, name):
    (tmp_path / name).mkdir()
    prefix = tmp_path / name / f"model-{name.strip('-')}"
    tf1.write(prefix, {"a/b": np.arange(6.0, dtype=np.float32).reshape(2, 3)})
    variable = tf.Variable(tf.zeros([2, 3]))
    tf1.assign(prefix, {"a/b": variable})
    assert variable.numpy().tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_where_it_stopped(tmp_path, name):
    total = tf.Variable(0.0)
    for expected in (0.0, 7.0):
        total.assign(-1.0 if expected else 0.0)
        with Run(tmp_path / name, {}, {"total": total}, Options(), [1, 1]) as run:
            assert float(total) == expected
            total.assign(7.0)
            run.next_phase()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, bad):
    tf1.write(tmp_path / "model", {"good": np.zeros([2], np.float32), "bad": np.array([0.0, bad], np.float32)})
    variables = {name: tf.Variable([1.0, 1.0]) for name in ("good", "bad")}
    with pytest.raises(UserError, match=r"NaN or infinity in bad \(1 of 2"):
        tf1.assign(tmp_path / "model", variables)
    assert variables["good"].numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("value", [np.array(["a", "b"]), np.array([1 + 2j, 0], np.complex64)])
def test_text_and_complex_numbers_are_refused(tmp_path, value):
    tf1.write(tmp_path / "model", {"w": value})
    with pytest.raises(UserError, match="text or complex numbers in w"):
        tf1.assign(tmp_path / "model", {"w": tf.Variable([1.0, 1.0])})


def test_an_index_that_is_no_file_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "model.index")
    with pytest.raises(UserError, match="model.index is no file"):
        tf1.read(tmp_path / "model")


def test_a_dangling_link_beside_it_is_no_matter_to_a_checkpoint(tmp_path):
    (tmp_path / "old.index").symlink_to(tmp_path / "gone")
    tf1.write(tmp_path / "model", {"w": np.zeros([1], np.float32)})
    assert 'model_checkpoint_path: "model"' in (tmp_path / "checkpoint").read_text()
