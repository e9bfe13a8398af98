"""What a run will take is said before it has taken it."""

from types import SimpleNamespace

import numpy as np
import pytest

from lib import tf1
from lib.errors import UserError
from lib.run import cost, runner
from lib.run.options import Options
from memorygan import checkpoint, places
from memorygan.config import Command
from memorygan.step import build_model
from tests.memorygan import tiny


@pytest.mark.parametrize("seconds, words", [
    (70, "1 min"), (8100, "2 h 15 min"), (3599.9, "1 h 0 min"), (100_000, "1 day 3 h"), (3e5, "3 days 11 h")])
def test_durations(seconds, words):
    assert cost.duration(seconds) == words


def said(directory, monkeypatch, seconds: float, iterations=(1000, 1000), restore=0) -> list[str]:
    """What a run prints whose iterations take so long, by its own clock, and that ends early."""
    clock, lines = SimpleNamespace(now=0.0), []
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(runner.tqdm, "write", lines.append)

    def advance(first, count):
        clock.now += 50.0 if first == restore else seconds * count  # the first call builds graphs
        if first >= restore + 30:
            raise RuntimeError
        return {}

    with runner.Run(directory, {"system": "toy"}, {}, Options(), iterations, whole="all 2 tasks") as run:
        with pytest.raises(RuntimeError):
            run.train(advance, [runner.Event(lambda i: i % 10 < 10, lambda i: None)])
    return lines


def test_hours_are_said_once_after_the_first_iterations_and_not_of_short_runs(tmp_path, monkeypatch):
    assert said(tmp_path / "long", monkeypatch, 4.05) == ["about 2 h 14 min for all 2 tasks, at the pace of these "
                                                         "iterations"]
    assert said(tmp_path / "short", monkeypatch, 0.01) == []


def test_a_resumed_run_says_what_is_left(tmp_path, monkeypatch):
    with runner.Run(tmp_path, {"system": "toy"}, {}, Options(), (1000, 1000)) as run:
        run._save(1, 500, stop=False)
    (line,) = said(tmp_path, monkeypatch, 4.0, restore=500)
    assert line.startswith("about 33 min for the rest of all 2 tasks")


def test_speed_is_that_since_the_last_line_and_what_is_left_that_of_all(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(cost, "time", SimpleNamespace(monotonic=lambda: clock.now, strftime=lambda form: "now"))
    known, lines = cost.Progress(), []
    for done, now in ((1, 50.0), (2, 90.0), (3, 91.0), (4, 92.0), (103, 141.0), (203, 191.0), (303, 391.0)):
        clock.now = now
        lines.append(known.line(done, 1303, "all"))
    assert lines[:4] == [""] * 4  # graphs are built, and then too few iterations
    assert lines[4:] == ["now  2 it/s, 10 min left of all", "now  2 it/s, 9 min left of all",
                         "now  0.5 it/s, 17 min left of all"]


@pytest.fixture(scope="module")
def model():
    return build_model(tiny.config())


@pytest.mark.parametrize("epochs, flags, kept, most", [
    (1, {}, 1, 1), (100, {}, 1, 1), (1500, {}, 1400, 1400), (1500, {"save_every": 10}, 140, 140),
    (1500, {"keep": 3}, 3, 4), (101, {"keep": 3}, 1, 1), (20, {"save_from": 1, "save_every": 2}, 10, 10)])
def test_what_memorygan_writes_in_all(model, tmp_path, epochs, flags, kept, most):
    space = places.Space(tiny.config(epoch=epochs), Command(**flags), model)
    assert (space.kept, space.most) == (kept, most)
    assert f"all {epochs} epochs, with " in space.whole and f"({kept} of " in space.whole
    tf1.write(tmp_path / "model-101", checkpoint.variables(model))
    written = sum(path.stat().st_size for path in tmp_path.glob("model-101.data*"))
    samples = 100 * 8 * (28 * 28 + 2) * 4
    assert space.of_save == pytest.approx(written + samples, rel=0.01)


def test_a_disk_too_small_for_all_checkpoints_names_the_flags(model, tmp_path):
    space = places.Space(tiny.config(epoch=10**7), Command(), model)
    with pytest.raises(UserError, match="--save_every, or keep the newest N with --keep N"):
        space.require(tmp_path)


@pytest.mark.parametrize("keep, left", [(1, ["model-101"]), (2, ["model-9", "model-101"]), (9, None)])
def test_only_the_newest_checkpoints_are_kept(tmp_path, keep, left):
    names = ["model-2", "model-9", "model-101"]
    for name in names:
        tf1.write(tmp_path / name, {"x": np.float32(1)})
    (tmp_path / "notes.txt").write_text("mine")
    removed = tf1.keep_newest(tmp_path, keep)
    left = left or names
    assert removed == [name for name in names if name not in left]
    assert sorted(path.stem for path in tmp_path.glob("*.index")) == sorted(left)
    assert len(list(tmp_path.iterdir())) == 2 * len(left) + 2
    assert all((f'"{name}"' in (tmp_path / "checkpoint").read_text()) == (name in left) for name in names)
