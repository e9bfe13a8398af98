"""Stops and kills a command again and again, and compares what it leaves in the end with an unbroken run's."""

import pickle
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tests.process import Place

_TEMPORARY = re.compile(r"\.\d+\.")
_EVENTS = "events.out.tfevents"


class Program(NamedTuple):
    """A command line of the repository, and the directory in which it is started again and again."""

    line: str
    directory: Path

    def start(self) -> subprocess.Popen:
        self.directory.mkdir(exist_ok=True)
        with open(self.directory / "output.txt", "ab") as output:
            return Place(self.directory).start(self.line, stdout=output, stderr=subprocess.STDOUT)

    def finish(self) -> None:
        assert self.start().wait() == 0, self.output()[-2000:]

    def output(self) -> str:
        return (self.directory / "output.txt").read_text()


class Pace(NamedTuple):
    """Seconds."""

    first_point: float  # from the start to the first resume point
    between: float  # two resume points


def _points(directory: Path) -> set[int]:
    """The numbers of the resume points there."""
    return {int(path.stem.removeprefix("ckpt-")) for path in directory.glob("**/resume/ckpt-*.index")}


def _wait_for(seen, process: subprocess.Popen, interval: float = 0.05) -> bool:
    """Until `seen()` or the process ends."""
    while process.poll() is None:
        if seen():
            return True
        time.sleep(interval)
    return False


def finish_at_its_pace(program: Program) -> Pace:
    """Run to the end, unbroken."""
    started = time.monotonic()
    process, times = program.start(), [started]
    known = set()
    while _wait_for(lambda: _points(program.directory) - known, process):
        known |= _points(program.directory)
        times.append(time.monotonic())
    assert process.wait() == 0, program.output()[-2000:]
    return Pace(times[1] - started, float(np.median(np.diff(times[1:]))))


def moments(count: int, seed: int) -> list[str]:
    """When to kill a program: starting, training, or while a file is being written."""
    return list(np.random.RandomState(seed).choice(["start", "training", "writing"], count, p=[0.3, 0.4, 0.3]))


def finish_with_kills(program: Program, moments: list[str], pace: Pace, seed: int) -> None:
    """Run to the end, killed on the way at these moments. `stopped`: by a signal that it answers, a few points on."""
    random = np.random.RandomState(seed)
    for kind in moments:
        known, process = max(_points(program.directory), default=0), program.start()
        new = 3 if kind == "stopped" else 1

        def writing():
            return leftovers(program.directory)

        def trained():
            return max(_points(program.directory), default=0) >= known + new

        if kind == "start":
            time.sleep(random.uniform(0.0, pace.first_point))
        else:
            _wait_for(trained, process)
            time.sleep(random.uniform(0.0, pace.between))
            if kind == "writing":
                _wait_for(writing, process, interval=0.005)
        process.send_signal(signal.SIGTERM if kind == "stopped" else signal.SIGKILL)
        code = 128 + signal.SIGTERM if kind == "stopped" else -signal.SIGKILL
        assert process.wait() == code, f"ended before it was killed {len(moments)} times:\n{program.output()[-2000:]}"
    program.finish()


def leftovers(directory: Path) -> list[str]:
    """Temporary files and directories."""
    return [str(path) for path in directory.rglob(".*") if _TEMPORARY.match(path.name)]


def results(directory: Path) -> dict[Path, bytes]:
    """What a run leaves to its user, by relative path, without the seconds that it took."""
    return {path.relative_to(directory): _without_time(path) for path in directory.rglob("*") if path.is_file()
            and path.name not in (".lock", "time.jpg") and not path.name.startswith(_EVENTS)
            and "resume" not in path.relative_to(directory).parts}


def _without_time(path: Path) -> bytes:
    """A file's content; of the original's pickle, what is not measured in seconds."""
    if path.name != "log.pkl":
        return path.read_bytes()
    quantities = pickle.loads(path.read_bytes())
    return repr({name: values for name, values in quantities.items() if name != "time"}).encode()


def _newest_point(directory: Path) -> dict[str, np.ndarray]:
    (newest,) = sorted((directory / "resume").glob("*.index"), key=lambda path: path.stat().st_mtime_ns)[-1:]
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
            if name != "_CHECKPOINTABLE_OBJECT_GRAPH"}


def events(directory: Path) -> set[tuple]:
    """(tag, step, value) of all event files, whose last record a kill may have cut."""
    found = set()
    for path in directory.rglob(f"{_EVENTS}*"):
        for record in tf.data.TFRecordDataset(str(path)).ignore_errors():
            event = tf.compat.v1.Event.FromString(record.numpy())
            found |= {(value.tag, event.step, value.SerializeToString(deterministic=True))
                      for value in event.summary.value}
    return found


def assert_same_run(straight: Path, killed: Path) -> None:
    """Bit for bit the same files, events and newest resume point, and nothing half-written beside them."""
    ours, theirs = results(killed), results(straight)
    assert ours.keys() == theirs.keys()
    assert [path for path in ours if ours[path] != theirs[path]] == []
    if not (straight / "resume").exists():
        return
    # The settings come with the time at which the run began.
    ours, theirs = ({event for event in events(directory) if not event[0].startswith("_hparams_")}
                    for directory in (killed, straight))
    assert ours == theirs
    ours, theirs = _newest_point(killed), _newest_point(straight)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)
