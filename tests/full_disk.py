"""A run that writes everything that a run can write, where space ends at some byte; in a process of its own.

    unshare -m python -m tests.full_disk disk COUNT DIRECTORY    on file systems of COUNT sizes, which it mounts there
    python -m tests.full_disk file COUNT DIRECTORY               where no file may be longer than one of COUNT sizes

For each size the run is started, given room and started again. Prints a JSON object: how many first starts ended
in a `UserError` and how many well, and what happened beside that: other exceptions, messages of several lines, files
that are half-written, a second start that fails or leaves other files than a run that had always had room.
"""

import contextlib
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from lib import files, pictures, tf1
from lib.errors import UserError
from lib.run import log, runner
from lib.run.options import Options, Period
from tests.kills import leftovers, results

_ITERATIONS = 6
_LARGE = 64 << 20


def train(directory: Path) -> None:
    weights = keras.Variable(np.zeros(500, np.float32), name="weights")
    with runner.Run(directory, {"system": "toy"}, {"weights": weights}, Options(
            checkpoint_every=Period(2, "it")), [_ITERATIONS]) as run:
        if not run.is_complete:
            _phase(run, weights)
            run.next_phase()
    files.write_json(directory / "metrics.json", {"mean": float(np.mean(weights))})


def _phase(run: runner.Run, weights) -> None:

    def advance(first: int, count: int) -> dict:
        for i in range(first, first + count):
            weights.assign(tf.random.stateless_normal(weights.shape, [i, 0]) + weights)
        return {"cost": {i: 1.0 / (i + 1) for i in range(first, first + count)}}

    def draw(iteration: int) -> None:
        picture = np.random.RandomState(iteration).randint(0, 256, [40, 40, 3]).astype(np.uint8)
        pictures.save_png(run.directory / f"samples_{iteration}.png", picture)
        run.log.picture("samples", picture, iteration)

    def save(iteration: int) -> None:
        tf1.write(run.directory / f"model-{iteration}", {"weights": weights})
        run.log.write_pickle(run.directory / "log.pkl")
        run.log.draw_curves()

    run.train(advance, [runner.log_event(run, lambda *_: None), runner.Event(lambda i: i % 2 == 0, draw),
                        runner.Event(lambda i: i % 4 == 0 or i == _ITERATIONS - 1, save)])


@contextlib.contextmanager
def _small_disk(directory: Path, size: int):
    """A file system of `size` bytes; yields what makes room."""
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", directory], check=True)
    try:
        yield lambda: subprocess.run(["mount", "-o", f"remount,size={_LARGE}", directory], check=True)
    finally:
        subprocess.run(["umount", directory], check=True)


@contextlib.contextmanager
def _short_files(directory: Path, size: int):
    """No file grows beyond `size` bytes; yields what ends that."""
    directory.mkdir()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        shutil.rmtree(directory)


def _broken(run: Path) -> list[str]:
    """Files that cannot be read, and temporary ones."""
    def check(path: Path) -> None:
        if path.suffix in (".png", ".jpg"):
            with Image.open(path) as picture:
                picture.load()
        elif path.suffix == ".json":
            files.read_json(path)
        elif path.suffix == ".index":
            tf1.read(path.with_suffix(""))
        elif path.suffix == ".jsonl":
            log.read(path)

    broken = leftovers(run)
    for path in run.rglob("*"):
        try:
            check(path)
        except (UserError, OSError, SyntaxError) as error:
            broken.append(f"{path}: {error}")
    return broken


def _try(limit, size: int, directory: Path, expected: dict) -> tuple[bool, list[str]]:
    """Whether the first start was stopped, and what should not have happened."""
    stopped, wrong = False, []
    with limit(directory, size) as make_room:
        try:
            train(directory / "run")
        except UserError as error:
            stopped = True
            if "\n" in str(error) or f"{directory}/run" not in str(error) or "space" not in str(error):
                wrong.append(f"said: {error}")
        except BaseException as error:
            wrong.append(f"raised: {error!r}")
        make_room()
        wrong += _broken(directory / "run")
        try:
            train(directory / "run")
            wrong += [str(path) for path, content in expected.items()
                      if results(directory / "run").get(path) != content]
        except BaseException as error:
            wrong.append(f"raised the second time: {error!r}")
    return stopped, wrong


def main(kind: str, count: int, directory: Path) -> None:
    train(directory / "whole")
    expected = results(directory / "whole")
    sizes = [path.stat().st_size for path in (directory / "whole").rglob("*")]
    limit, largest = (_small_disk, 3 * sum(sizes)) if kind == "disk" else (_short_files, 2 * max(sizes))
    found = {"stopped": 0, "ended well": 0, "wrong": []}
    for size in np.linspace(1, largest, count).astype(int):
        stopped, wrong = _try(limit, int(size), directory / "limited", expected)
        found["stopped" if stopped else "ended well"] += 1
        found["wrong"] += [f"{size} bytes: {text}" for text in wrong]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
