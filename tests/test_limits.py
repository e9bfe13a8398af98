"""Too little memory or disk ends in one line that says what to lower or to free."""

import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from lib import errors, files, workers
from lib.classifiers import pretrained
from lib.classifiers.networks import build_classifier
from lib.errors import UserError
from lib.reproduce import __main__ as reproduce


def exhausted(*_):
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[100000000,256]")


def array(*_):
    return np.empty([10**9, 10**6])


def on_a_gpu(*_):
    raise tf.errors.InternalError(None, None, "Dst tensor is not initialized.")


def python(*_):
    raise MemoryError


@pytest.mark.parametrize("main", [exhausted, array, on_a_gpu, python])
def test_an_allocation_that_fails_is_one_line_that_names_the_sizes_given(main, capsys):
    assert errors._guarded(main, ["--mem_size=100000000", "--epoch=3", "--batch_size", "10"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: not enough memory") and said.count("\n") == 1
    assert "lower --mem_size or --batch_size" in said
    assert errors._guarded(main, []) == 2 and "as --batch_size or --mem_size" in capsys.readouterr().err


@pytest.mark.parametrize("error", [tf.errors.InternalError(None, None, "bug"), RuntimeError("allocate")])
def test_other_failures_keep_their_traceback(error):
    def main(arguments):
        raise error

    with pytest.raises(type(error)):
        errors._guarded(main, [])


@pytest.fixture
def small_disk(monkeypatch):
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))


def test_a_classifier_is_not_trained_for_a_disk_that_cannot_hold_it(tmp_path, small_disk, monkeypatch):
    monkeypatch.setattr(pretrained, "train", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(UserError, match="1 kB free"):
        pretrained._train_and_keep(build_classifier("digits"), tmp_path / "digits/a.weights.h5", None, None, "")


def test_a_disk_that_fills_up_while_a_classifier_trains_is_seen_before_hdf5_meets_it(tmp_path, monkeypatch):
    def fill(*_, **__):
        monkeypatch.setattr(files.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))

    monkeypatch.setattr(pretrained, "train", fill)
    with pytest.raises(UserError, match="1 kB free"):
        pretrained._train_and_keep(build_classifier("digits"), tmp_path / "digits/a.weights.h5", None, None, "")
    assert not any((tmp_path / "digits").iterdir())


def test_pretrain_that_cannot_be_made_is_told_from_a_result_path(tmp_path):
    (tmp_path / "pretrain").write_text("")
    with pytest.raises(UserError, match="link pretrain/ to a place that can") as raised:
        pretrained._train_and_keep(build_classifier("digits"), tmp_path / "pretrain/digits/a", None, None, "")
    assert "result path" not in str(raised.value)


@pytest.mark.parametrize("flags", [[], ["--strategy", "mirrored"]])
def test_workers_that_would_not_share_are_not_started(flags, capsys, monkeypatch):
    monkeypatch.setattr(workers, "run", lambda *_: pytest.fail("started"))
    assert workers.main(["2", "mergan.py", *flags]) == 2
    assert "add it" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--strategy=multi_worker"], ["--strategy", "multi_worker"]])
def test_workers_that_share_are(flags, monkeypatch):
    monkeypatch.setattr(workers, "run", lambda count, command: 0)
    assert workers.main(["2", "mergan.py", *flags]) == 0


@pytest.mark.parametrize("stored", ["[]", "null", '{"RA": 1}', '{"RA": {"budget": 1}}'])
def test_results_of_another_form_are_named(tmp_path, stored):
    (tmp_path / "mergan-mnist.json").write_text(stored)
    with pytest.raises(UserError, match="mergan-mnist.json"):
        reproduce.main(["mergan-mnist", "--tables_only", f"--results={tmp_path}"])


def test_a_signal_that_comes_while_workers_are_started_reaches_them_all(monkeypatch):
    sent = []

    class Worker:
        def __init__(self, *_, env, **__):
            self.number = json.loads(env["TF_CONFIG"])["task"]["index"]
            if self.number == 1:
                os.kill(os.getpid(), signal.SIGTERM)

        def send_signal(self, number):
            sent.append((self.number, number))

    monkeypatch.setattr(workers.subprocess, "Popen", Worker)
    monkeypatch.setattr(workers, "wait", lambda started: 143)
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert workers.run(3, ["mergan.py"]) == 143
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    assert sent == [(0, signal.SIGTERM), (1, signal.SIGTERM), (2, signal.SIGTERM)]
