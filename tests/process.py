"""Command lines of the repository: started as processes where only a process will do, called in this one elsewhere."""

import contextlib
import io
import os
import runpy
import signal
import subprocess
import sys
import unittest.mock
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment(**more: str) -> dict[str, str]:
    """Of a program: it finds the repository, whatever its directory, and no GPU."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", **more}


class Place:
    """A working directory as a user has it. A line, or the list of its words, is `mergan.py --flag ...`, also with
    `python` before it, `-m lib.report ...` or `-c ...`."""

    def __init__(self, path: Path):
        self.path = Path(path)

    def command(self, line: str | list[str]) -> list[str]:
        program, *arguments = _words(line)
        return [sys.executable, program if program.startswith("-") else str(ROOT / program), *arguments]

    def start(self, line: str | list[str], **options) -> subprocess.Popen:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
        return subprocess.Popen(self.command(line), cwd=self.path, text=True, **pipes | options)

    def run(self, line: str | list[str], timeout: float = 900, **options) -> subprocess.CompletedProcess:
        with self.start(line, **options) as process:
            try:
                output, errors = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(line, process.returncode, output, errors)

    def stop(self, line: str, sign: str, number: int) -> subprocess.CompletedProcess:
        """Run until a line that holds `sign` is printed, then send it a signal and see it end."""
        process = self.start(line)
        for text in process.stdout:
            if sign in text:
                process.send_signal(number)
                break
        output, errors = process.communicate(timeout=900)
        return subprocess.CompletedProcess(line, process.returncode, output, errors)

    def call(self, line: str, output: io.StringIO | None = None) -> subprocess.CompletedProcess:
        """What `run` does, in this process: for what TensorFlow's start of five seconds would add nothing to."""
        program, *arguments = _words(line)
        if program == "-m":
            program, *arguments = arguments
        output, errors = output or io.StringIO(), io.StringIO()
        code = 0
        with _as_in_a_new_process(self.path, [program, *arguments]), contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(errors):
            try:
                if program.endswith(".py"):
                    runpy.run_path(str(ROOT / program), run_name="__main__")
                else:
                    runpy.run_module(program, run_name="__main__", alter_sys=True)
            except SystemExit as end:
                code = end.code or 0
        return subprocess.CompletedProcess(line, code, output.getvalue(), errors.getvalue())


class Stopping(io.StringIO):
    """Standard output for `Place.call` that sends this process a signal when a text with a sign is written to it."""

    def __init__(self, sign: str, number: int):
        super().__init__()
        self._sign, self._number = sign, number

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._number and self._sign in text:
            number, self._number = self._number, 0
            signal.raise_signal(number)
        return written


def _words(line: str | list[str]) -> list[str]:
    return list(line) if not isinstance(line, str) else line.removeprefix("python ").split()


@contextlib.contextmanager
def _as_in_a_new_process(directory: Path, arguments: list[str]):
    """Directory, arguments, paths and environment are a new program's, and afterwards as they were."""
    left = os.getcwd()
    os.chdir(directory)
    try:
        with unittest.mock.patch.object(sys, "argv", arguments), unittest.mock.patch.object(sys, "path", [*sys.path]), \
                unittest.mock.patch.dict(os.environ):
            yield
    finally:
        os.chdir(left)


def passed(done: subprocess.CompletedProcess) -> str:
    """What a program printed that came to its end."""
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def refused(done: subprocess.CompletedProcess) -> str:
    """The one line on standard error with which a program ended; TensorFlow's own notes may stand before it."""
    assert done.returncode == 2, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and done.stderr.rstrip().endswith(errors[0])
    return errors[0]
