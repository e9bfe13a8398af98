"""The loop on a toy system whose weights and curves are known in closed form."""

import json
import math
import os
import signal

import keras
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from lib.errors import Interrupted, UserError
from lib.run import log, runner
from lib.run.options import Options, Period
from tests import kills

SETTINGS = {"system": "toy", "rate": 0.5}


class Toy:
    """Adds iteration numbers to a variable: after n iterations it holds 0 + 1 + ... + (n - 1)."""

    def __init__(self):
        self.total = tf.Variable(0.0)
        self.calls = []

    def advance(self, first, count):
        self.calls.append((first, count))
        values = {}
        for i in range(first, first + count):
            self.total.assign_add(i)
            values[i] = float(self.total)
        return {"total": values}


def start(directory, toy, iterations=250, events=(), settings=SETTINGS, advance=None, **options):
    """Two phases of a run."""
    with runner.Run(directory, settings, {"total": toy.total}, Options(**options), [iterations] * 2) as run:
        while not run.is_complete:
            run.train(advance or toy.advance, [runner.log_event(run, lambda *_: None), *events], f"phase {run.phase}")
            run.next_phase()


def test_all_iterations_run_once_and_in_order(tmp_path):
    toy = Toy()
    start(tmp_path / "run", toy)
    assert float(toy.total) == 2 * sum(range(250))
    firsts = [first for first, _ in toy.calls]
    ends = [first + count for first, count in toy.calls]
    assert firsts == [0, *ends[:-1][:ends.index(250)], 0, *ends[ends.index(250) + 1:-1]]


def test_log_points_and_their_means(tmp_path):
    start(tmp_path / "run", Toy())
    lines = log.read(tmp_path / "run/log.jsonl")
    assert [line["step"] for line in lines] == [*range(10), 100, 200, 249, *range(250, 260), 350, 450, 499]
    triangular = [i * (i + 1) / 2 for i in range(250)]
    assert lines[10]["means"]["total"] == pytest.approx(sum(triangular[10:101]) / 91)
    assert lines[10]["values"]["total"]["57"] == triangular[57]


def test_events_come_after_exactly_their_iterations(tmp_path):
    toy, seen = Toy(), []
    event = runner.Event(lambda i: i % 77 == 0, lambda i: seen.append((i, float(toy.total))))
    start(tmp_path / "run", toy, events=[event])
    assert seen[:4] == [(i, i * (i + 1) / 2) for i in (0, 77, 154, 231)]


@pytest.mark.parametrize("stop_at", [3, 50, 101, 249, 260, 499])
def test_an_interrupted_run_goes_on_exactly(tmp_path, stop_at):
    straight = Toy()
    start(tmp_path / "straight", straight)
    toy = Toy()

    def advance(first, count):
        values = toy.advance(first, count)
        if len(toy.calls) and max(sum(c for _, c in toy.calls), 0) >= stop_at and not advance.sent:
            advance.sent = True
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    advance.sent = False
    with pytest.raises(Interrupted) as stop:
        start(tmp_path / "run", toy, advance=advance)
    assert stop.value.exit_code == 128 + signal.SIGTERM
    resumed = Toy()
    start(tmp_path / "run", resumed)
    assert float(resumed.total) == float(straight.total)
    assert (tmp_path / "run/log.jsonl").read_text() == (tmp_path / "straight/log.jsonl").read_text()


def test_signal_handlers_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    start(tmp_path / "run", Toy(), iterations=3)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_numbers_stop_the_run_and_keep_the_last_point(tmp_path, bad):
    toy = Toy()

    def advance(first, count):
        values = toy.advance(first, count)
        if first + count > 120:
            values["total"][first] = bad
        return values

    with pytest.raises(UserError, match=r"total is (nan|inf) at phase 0 iteration \d+"):
        start(tmp_path / "run", toy, advance=advance, checkpoint_every=Period(0.0))
    assert '"step": 0' in (tmp_path / "run/log.jsonl").read_text()
    again = Toy()
    start(tmp_path / "run", again)
    assert float(again.total) == 2 * sum(range(250))


def test_other_settings_are_refused_with_their_names(tmp_path):
    start(tmp_path / "run", Toy(), iterations=3)
    with pytest.raises(UserError, match=r"rate: 0\.5 there, 0\.25 asked"):
        start(tmp_path / "run", Toy(), iterations=3, settings={"system": "toy", "rate": 0.25})


def test_a_directory_with_foreign_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="thesis.txt"):
        start(tmp_path, Toy())
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["thesis.txt"]


def test_resume_never_refuses_an_existing_run(tmp_path):
    start(tmp_path / "run", Toy(), iterations=3)
    with pytest.raises(UserError, match="already holds this run"):
        start(tmp_path / "run", Toy(), iterations=3, resume="never")


def test_a_damaged_newest_point_falls_back_on_the_one_before(tmp_path, capsys):
    start(tmp_path / "run", Toy(), checkpoint_every=Period(0.0))
    newest = max((tmp_path / "run/resume").glob("*.index"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:40])
    toy = Toy()
    start(tmp_path / "run", toy)
    assert "cannot resume from" in capsys.readouterr().out
    assert float(toy.total) == 2 * sum(range(250))


def test_all_points_damaged_is_an_error(tmp_path):
    start(tmp_path / "run", Toy(), iterations=3)
    for path in (tmp_path / "run/resume").glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match="no resume point"):
        start(tmp_path / "run", Toy(), iterations=3)


def test_optimisers_and_models_are_part_of_a_point(tmp_path):
    def build():
        layer = keras.layers.Dense(2)
        layer.build((None, 3))
        optimizer = keras.optimizers.Adam(0.1)
        optimizer.build(layer.trainable_variables)
        return layer, optimizer

    def train(count):
        layer, optimizer = build()

        def advance(first, number):
            for _ in range(number):
                optimizer.apply([tf.ones_like(v) for v in layer.trainable_variables], layer.trainable_variables)
            return {}

        with runner.Run(tmp_path, SETTINGS, {"layer": layer, "optimizer": optimizer}, Options(
                checkpoint_every=Period(0.0)), [count]) as run:
            run.train(advance, [])
        return layer, optimizer

    _, first = train(3)
    _, second = train(5)
    assert int(first.iterations) == 3 and int(second.iterations) == 5


def test_log_pickle_reads_in_python_2_and_holds_every_value(tmp_path):
    import pickle

    with runner.Run(tmp_path / "run", SETTINGS, {}, Options(), [12]) as run:
        toy = Toy()
        run.train(toy.advance, [runner.log_event(run, lambda *_: None)])
        run.log.write_pickle(tmp_path / "log.pkl")
    stored = (tmp_path / "log.pkl").read_bytes()
    assert stored[:2] == b"\x80\x02"  # protocol 2
    assert pickle.loads(stored) == {"total": {i: i * (i + 1) / 2 for i in range(12)}}


def test_log_lines_are_json(tmp_path):
    start(tmp_path / "run", Toy(), iterations=3)
    for line in (tmp_path / "run/log.jsonl").read_text().splitlines():
        assert set(json.loads(line)) == {"step", "means", "values"}


def test_resume_points_every_so_many_iterations(tmp_path, capsys):
    toy = Toy()

    def advance(first, count):
        if first + count > 37:
            raise RuntimeError
        return toy.advance(first, count)

    with pytest.raises(RuntimeError):
        start(tmp_path / "run", toy, advance=advance, checkpoint_every=Period(10, "it"))
    again = Toy()
    start(tmp_path / "run", again)
    assert "at phase 0, iteration 30" in capsys.readouterr().out
    assert float(again.total) == 2 * sum(range(250))


def test_the_first_bad_number_is_named(tmp_path):
    def advance(first, count):
        return {"later": {i: math.nan if i >= 8 else 0.0 for i in range(first, first + count)},
                "first": {i: math.inf if i >= 6 else 0.0 for i in range(first, first + count)}}

    with pytest.raises(UserError, match="first is inf at phase 0 iteration 6"):
        start(tmp_path / "run", Toy(), advance=advance)


def test_bad_weights_are_not_saved_even_where_no_cost_shows_them(tmp_path, capsys):
    toy = Toy()

    def advance(first, count):
        toy.total.assign(math.nan if first + count > 20 else 1.0)
        return {"cost": {i: 1.0 for i in range(first, first + count)}}

    with pytest.raises(UserError, match=r"a NaN or infinity in total .* of phase 0 after iteration 30"):
        start(tmp_path / "run", toy, advance=advance, checkpoint_every=Period(10, "it"))
    start(tmp_path / "run", Toy())
    assert "at phase 0, iteration 20" in capsys.readouterr().out


def test_a_signal_after_the_last_iteration_of_a_phase_is_answered_when_the_phase_is_closed(tmp_path):
    with runner.Run(tmp_path / "run", SETTINGS, {}, Options(), [5, 5]) as run:
        run.train(Toy().advance, [])
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted):
            run.next_phase()
    with runner.Run(tmp_path / "run", SETTINGS, {}, Options(), [5, 5]) as run:
        assert (run.phase, run.iteration) == (1, 0)


def test_two_runs_in_one_directory_are_refused(tmp_path):
    with runner.Run(tmp_path / "run", SETTINGS, {}, Options(), [3]):
        with pytest.raises(UserError, match="in use by another run"):
            start(tmp_path / "run", Toy())


def test_events_are_on_disk_with_the_resume_point(tmp_path):
    """A kill takes what the writer of events holds back; what lies before a resume point is not logged again."""
    with runner.Run(tmp_path / "run", SETTINGS, {}, Options(), [3]) as run:
        run.train(Toy().advance, [runner.log_event(run, lambda *_: None)])
        run.next_phase()
        assert {(name, step) for name, step, _ in kills.events(tmp_path / "run")} == {
            ("_hparams_/session_start_info", 0), ("total", 0), ("total", 1), ("total", 2)}


def test_no_step_is_told_twice_after_a_kill(tmp_path):
    def log_points(step, numbers):
        logged = log.Log(tmp_path, step)
        for number in numbers:
            logged.add({"total": {number: 1.0}})
            logged.flush(number)
        logged.close()

    log_points(0, range(5))
    log_points(3, range(3, 6))  # the resume point lay before step 3
    tensorboard = [event_pb2.Event.FromString(record.numpy()) for path in (tmp_path / "tensorboard").iterdir()
                   for record in tf.data.TFRecordDataset(str(path))]
    assert sorted(event.step for event in tensorboard if event.summary.value) == [*range(6)]


def test_what_killed_processes_left_is_removed(tmp_path):
    start(tmp_path / "run", Toy(), iterations=3)
    (tmp_path / "run/.123.log.pkl").write_bytes(b"half")
    (tmp_path / "run/resume/.7.ckpt-9").mkdir()
    (tmp_path / "run/resume/.7.ckpt-9/ckpt-9.index").write_bytes(b"half")
    assert len(kills.leftovers(tmp_path / "run")) == 2
    start(tmp_path / "run", Toy(), iterations=3)
    assert kills.leftovers(tmp_path / "run") == []


def test_old_resume_points_are_removed(tmp_path):
    start(tmp_path / "run", Toy(), checkpoint_every=Period(10, "it"))
    names = {path.name for path in (tmp_path / "run/resume").iterdir()}
    points = {f"ckpt-{number}.{ending}" for number in (51, 52) for ending in ("index", "data-00000-of-00001")}
    assert names == points | {"provenance.json"}


def test_a_log_that_is_cut_short_loses_its_last_line_and_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 0}\n{"step": 1}\n{"st')
    assert log.read(path) == [{"step": 0}, {"step": 1}]
    path.write_bytes(b'{"step": 0}\n{"st\xffep": 1}\n{"step": 2}\n')
    with pytest.raises(UserError, match="log.jsonl"):
        log.read(path)
