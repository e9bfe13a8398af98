"""What made a run or a figure: command, versions, device, date. It lies beside a run's resume points, where equal runs
may differ."""

import contextlib
import datetime
import importlib.metadata
import itertools
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

from lib import files
from lib.errors import UserError

_ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("tensorflow", "keras", "numpy")


def command(*flags: str) -> str:
    """This program with other flags, as one types it; `lvae`, when installed, has the experiment before them."""
    program = [sys.argv[0], *itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:])]
    return _typed([*program, *map(str, flags)])


def _typed(words: list[str]) -> str:
    return shlex.join(["python"] * words[0].endswith(".py") + words)


def _version(package: str) -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "not installed"


def _commit() -> str:
    """Of a checkout, "-dirty" behind it where files were changed; "" where there is none."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--exclude=*"], check=True,
                              capture_output=True, text=True, timeout=10).stdout.strip()
    return ""


def versions() -> dict[str, str]:
    """By name."""
    own = " ".join(filter(None, [_version("memory-replay-gans"), _commit()]))
    return {"memory-replay-gans": own, "python": platform.python_version(),
            **{package: _version(package) for package in _LIBRARIES}}


def libraries() -> str:
    """With which of them numbers change, in words."""
    return ", ".join(f"{package} {_version(package)}" for package in _LIBRARIES)


def here(device: str, began: float) -> dict:
    """{"command", "versions", "device", "date", "seconds"} of what this process makes.

    Args:
      device: in words.
      began: `time.time()` at its start.
    """
    date = datetime.datetime.fromtimestamp(began).astimezone().isoformat(timespec="seconds")
    return {"command": _typed(sys.argv), "versions": versions(), "device": device, "date": date,
            "seconds": round(time.time() - began, 1)}


def _path(directory: Path) -> Path:
    return Path(directory) / "resume" / "provenance.json"


def of_run(directory: Path) -> dict:
    """The same of the run in a directory, all its parts together; empty where nothing of it is known."""
    with contextlib.suppress(UserError):
        known = files.read_json(_path(directory), dict)
        if isinstance(known.get("seconds"), float) and isinstance(known.get("versions"), dict):
            return known
    return {}


class Provenance:
    """Keeps what made a run: the date of its begin, the seconds of all its parts, the rest of the last part.

    Args:
      began_before: the run goes on with what another process began.
    """

    def __init__(self, directory: Path, device: str, began_before: bool):
        self._path, self._began = _path(directory), time.time()
        self._here = here(device, self._began)
        before = of_run(directory) if began_before else {}
        self._seconds = before.get("seconds", 0.0)
        if began_before:
            self._here["date"] = before.get("date", "unknown")

    def write(self) -> None:
        files.make_directory(self._path.parent)
        seconds = round(self._seconds + time.time() - self._began, 1)
        files.write_json(self._path, self._here | {"seconds": seconds})
