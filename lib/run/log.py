"""The numbers of a run: one JSON line per log point, and what is made of them (curves, events, the original's pickle).

`log.jsonl` is the primary record. A line holds the step of the log point, the mean of each quantity since the line
before, and every single value: {"step": 100, "means": {"d-cost": -3.1}, "values": {"d-cost": {"1": -2.9, ...}}}.
"""

import contextlib
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams.api import hparams_pb
from tensorflow.core.util import event_pb2

from lib import files, pictures, tf1
from lib.errors import UserError
from lib.tf1.events import writing

_NAME = re.compile(r"[^/\\\0.][^/\\\0]{0,199}")  # of a quantity, which becomes the name of a file
_STEP = re.compile(r"-?\d{1,18}")
_LARGEST = 10**18


class Log:
    """Values of named quantities by step, collected between log points.

    Args:
      directory: where `log.jsonl` and the event files (`tensorboard/`) lie.
      step: the first step still to come; what an interrupted run logged from there on is dropped.
      pending: `settle` of the interrupted run, or "".
    """

    def __init__(self, directory: Path, step: int, pending: str = ""):
        self.directory = Path(directory)
        self.path = self.directory / "log.jsonl"
        self._folder = self.directory / "tensorboard"  # of the event files
        self.history: dict[str, dict[int, float]] = {}
        self.pending = join({}, json.loads(pending or "{}"))
        self.latest: dict[str, dict[int, float]] = {}  # values of the last log point
        # Apart from the rest: no two runs have the same. {step: seconds} of those systems that measure it.
        self.seconds: dict[int, float] = {}
        self._keep_lines_before(step)
        self._keep_seconds_before(step)
        self._keep_events_before(step)
        with writing(self._folder):
            self.events = tf.summary.create_file_writer(str(self._folder))
        self._originals: list[tf1.Events] = []

    def _keep_lines_before(self, step: int) -> None:
        lines = read(self.path)
        _refuse(self.path, lines, _wrong_content)
        kept = [line for line in lines if line["step"] < step]
        for line in kept:
            join(self.history, line.get("values", {}))
        files.write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def _keep_events_before(self, step: int) -> None:
        """TensorBoard would show twice what an interrupted run told it of steps that are still to come."""
        for path in sorted(self._folder.glob("events.out.tfevents.*")):
            with writing(self._folder), files.atomic(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
                # A kill may have cut the last one.
                for record in tf.data.TFRecordDataset(str(path)).ignore_errors():
                    event = event_pb2.Event.FromString(record.numpy())
                    if event.step < step or event.HasField("file_version"):
                        writer.write(record.numpy())

    @property
    def _stored_seconds(self) -> Path:
        """With the resume points, whose runs need not be alike to the last bit in this."""
        return self.directory / "resume" / "seconds.json"

    def _keep_seconds_before(self, step: int) -> None:
        """Those of an interrupted run; without a file, or with a damaged one, there are none."""
        with contextlib.suppress(OSError, ValueError, AttributeError, UserError):
            stored = {int(name): float(value) for name, value in files.read_json(self._stored_seconds).items()}
            self.seconds = {number: value for number, value in stored.items() if number < step}

    def add(self, values: dict[str, dict[int, float]]) -> None:
        join(self.pending, values)

    def of_steps(self, name: str, first: int, last: int) -> list[float]:
        """The values of a quantity at steps first .. last, in their order; what was not kept is left out."""
        values = self.history.get(name, {}) | self.pending.get(name, {})
        return [values[step] for step in range(first, last + 1) if step in values]

    def settle(self) -> str:
        """Get what was logged so far to its files; returns what is pending, as text for a resume point."""
        with writing(self._folder):
            self.events.flush()
        for events in self._originals:
            events.flush()
        if self.seconds:
            files.make_directory(self._stored_seconds.parent)
            files.write_text(self._stored_seconds, json.dumps(self.seconds))
        return json.dumps(self.pending)

    def flush(self, step: int) -> dict[str, float]:
        """Write a log point; returns the means since the last one."""
        means = {name: float(np.mean(list(by_step.values()))) for name, by_step in self.pending.items() if by_step}
        line = {"step": step, "means": means, "values": self.pending}
        try:
            with open(self.path, "a") as handle:
                handle.write(json.dumps(line) + "\n")
        except OSError as error:
            raise files.cannot_write(self.path, error) from error
        with writing(self._folder), self.events.as_default():
            for name, mean in means.items():
                tf.summary.scalar(name, mean, step)
        join(self.history, self.pending)
        self.latest = self.pending
        self.pending = {}
        return means

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        """A uint8 [h, w, c] picture for TensorBoard."""
        with writing(self._folder), self.events.as_default():
            tf.summary.image(name, picture[None], step)

    def hyperparameters(self, settings: dict) -> None:
        """The run's settings for TensorBoard's table of runs."""
        flat = {name: value if isinstance(value, (bool, int, float, str)) else json.dumps(value)
                for name, value in settings.items()}
        with writing(self._folder), self.events.as_default():
            tf.summary.experimental.write_raw_pb(hparams_pb(flat).SerializeToString(), step=0)

    def originals_events(self, directory: Path) -> tf1.Events:
        """Event files beside the log's own, where the original had its; they are kept as these are."""
        self._originals.append(tf1.Events(directory))
        return self._originals[-1]

    def close(self) -> None:
        for events in self._originals:
            events.close()
        with writing(self._folder):
            self.events.close()

    def with_time(self) -> dict[str, dict[int, float]]:
        """{quantity: {step: value}} of all log points, and where seconds are measured, `time` up to the last one."""
        last = max((max(by_step) for by_step in self.history.values() if by_step), default=-1)
        time = {number: value for number, value in self.seconds.items() if number <= last}
        return self.history | ({"time": time} if time else {})

    def write_pickle(self, path: Path) -> None:
        """The original's log.pkl: {quantity: {step: value}}, readable by Python 2. Never read back here."""
        files.write_bytes(path, pickle.dumps(self.with_time(), protocol=2))

    def draw_curves(self) -> None:
        """One `<quantity>.jpg` of 640 x 480 pixels per quantity, as the original draws them."""
        for name, by_step in self.with_time().items():
            line = pictures.Line("", list(by_step), list(by_step.values()))
            chart = pictures.Chart([line], "iteration", name, plain=True)
            files.write_bytes(self.directory / f"{name}.jpg",
                              pictures.line_chart(chart, kind="jpg", size=(6.4, 4.8), dpi=100))


def write_tested(directory: Path, tasks: dict[int, dict[str, float]]) -> None:
    """Figures {tasks learned: {name: figure}} of a tested run for TensorBoard, in place of those of an earlier test."""
    folder = Path(directory) / "tensorboard" / "test"
    for path in folder.glob("events.out.tfevents.*"):
        path.unlink()
    with writing(folder):
        writer = tf.summary.create_file_writer(str(folder))
        with writer.as_default():
            for learned, figures in tasks.items():
                for name, figure in figures.items():
                    tf.summary.scalar(name, figure, learned)
        writer.close()


def join(history: dict[str, dict[int, float]], values: dict[str, dict]) -> dict[str, dict[int, float]]:
    """Add values {quantity: {step: value}}, as a line of the log may hold them, with texts for steps; returns both."""
    for name, by_step in values.items():
        history.setdefault(name, {}).update((int(step), value) for step, value in by_step.items())
    return history


def read(path: Path) -> list[dict]:
    """The complete lines of a log; a last line cut short by a kill or a full disk is left out."""
    if not Path(path).exists():
        return []
    *lines, _ = files.read_plain(path).split(b"\n")
    found = [files.parsed_json(line, path) for line in lines]
    _refuse(path, found, _wrong_form)
    return found


def _refuse(path: Path, lines: list, wrong: Callable) -> None:
    """Raise `UserError` for the first line that `wrong` has a word for."""
    for number, line in enumerate(lines, 1):
        if wrong(line):
            raise UserError(f"cannot read {path}, line {number}: {wrong(line)}; it is not what training writes, move "
                            "it away")


def _wrong_form(line) -> str:
    """What is wrong with a line that should be a log point; "" if nothing is. A report bears any numbers and names."""
    if not isinstance(line, dict) or not _is_whole(line.get("step")):
        return "no object with a step"
    if not all(isinstance(line.get(part, {}), dict) for part in ("means", "values")):
        return "means and values should be objects"
    return ""


def _wrong_content(line: dict) -> str:
    """The same of what a run goes on with: numbers, under names that name files."""
    means, values = line.get("means", {}), line.get("values", {})
    bad = [name for name in (*means, *values) if not _NAME.fullmatch(name)]
    if bad:
        return f"{bad[0][:60]!r} is no name of a quantity, which names a file, too"
    if not all(map(_is_number, means.values())):
        return "a mean that is no number"
    if not all(isinstance(by_step, dict) and all(map(_STEP.fullmatch, by_step))
               and all(map(_is_number, by_step.values())) for by_step in values.values()):
        return "values that are no numbers by steps"
    return ""


def _is_whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_number(value) -> bool:
    return isinstance(value, float) or _is_whole(value)
