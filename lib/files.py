"""Files that are complete or absent, and a lock on a directory."""

import contextlib
import fcntl
import json
import os
from pathlib import Path

from lib.errors import UserError


@contextlib.contextmanager
def atomic(path: Path):
    """Yield a temporary path beside `path` that takes its place when the block ends without an error."""
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; free some space or choose another path"
                        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, value) -> None:
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path):
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; it should be a JSON file written by this program") from error


def make_directory(path: Path) -> None:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create {path}: {error.strerror}; choose another result path") from error


@contextlib.contextmanager
def lock(directory: Path):
    """Hold `directory` for this process; the system frees it when the process ends, however it ends."""
    path = Path(directory) / ".lock"
    try:
        handle = open(path, "a")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another result path") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"{directory} is in use by another run; wait for it or choose another result path"
                            ) from error
        yield
