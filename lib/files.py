"""Files that are complete or absent, and a lock on a directory."""

import contextlib
import errno
import json
import os
import re
import shutil
import sys
from pathlib import Path

from lib.errors import UserError, reason

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None


_SPOKEN = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false",
           type(None): "null"}


def cannot_write(path: Path, error: Exception) -> UserError:
    """For a write that failed, as on a full disk."""
    return UserError(f"cannot write {path}: {getattr(error, 'strerror', None) or reason(error)}; free some space and "
                     "start the same command again, or choose another path")


def temporary_path(path: Path) -> Path:
    """Beside `path`: where this process makes what is to become it."""
    return Path(path).with_name(f".{os.getpid()}.{Path(path).name}")


def to_disk(path: Path) -> None:
    """Have a file's content, or a directory's list of names, on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # of file systems that have nothing to do for it
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic(path: Path):
    """Yield a temporary path beside `path` that takes its place when the block ends without an error."""
    temporary = temporary_path(path)
    try:
        yield temporary
        to_disk(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def size(count: float) -> str:
    """Bytes in the largest unit that leaves at least 1: "180 GB"."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.3g} {unit}" if count < 999.5 else f"{count:.0f} {unit}"
        count /= 1000


def require_space(directory: Path, needed: int, what: str,
                  way_out: str = "free some space or choose another path") -> None:
    """Raise `UserError` where fewer than `needed` bytes are free for what will be written."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise UserError(f"{directory} has {size(free)} free, {size(needed)} are needed for {what}; {way_out}")


def remove_temporaries(directory: Path, others: str = "") -> None:
    """Remove, at any depth, what processes that were killed left at temporary paths.

    Args:
      others: a file by which a directory below shows that it is somebody else's, where nothing is removed.
    """
    directory = Path(directory)
    for path in list(directory.rglob(".*")):
        above = path.relative_to(directory).parents
        if others and any((directory / parent / others).exists() for parent in above if parent != Path(".")):
            continue
        if re.match(r"\.\d+\.", path.name) and not path.is_symlink():  # we make no links
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """What a library makes should come through here: some take a write that a full disk cut short for a whole one."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_json(path: Path, value) -> None:
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, kind: type = object):
    """What a JSON file of ours holds.

    Raises:
      UserError: no file, no JSON, or another kind of value than the one that stands there when we write it.
    """
    value = parsed_json(read_plain(path), path)
    if not isinstance(value, kind):
        raise UserError(f"cannot read {path}: it holds {_SPOKEN.get(type(value), 'a value')} where this program writes "
                        f"{_SPOKEN[kind]}; it is of another program, move it away")
    return value


def read_plain(path: Path) -> bytes:
    """Content of a file. Raises `UserError` for what is none: a pipe would keep its reader waiting for ever."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"cannot read {path}: it is no file but a directory, pipe or device; move it away")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error}; it should be a file written by this program") from error


def parsed_json(text: bytes, path: Path):
    """What a JSON text says. Raises `UserError`, which names `path`, for one that is none."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UserError(f"cannot read {path}: nested too deeply; it is of another program, move it away") from error
    except ValueError as error:
        raise UserError(f"cannot read {path}: {error}; it should be a JSON file written by this program") from error


def make_directory(path: Path, way_out: str = "choose another result path") -> None:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create {path}: {error.strerror}; {way_out}") from error


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
            _lock(handle)
        except BlockingIOError as error:
            raise UserError(f"{directory} is in use by another run; wait for it or choose another result path"
                            ) from error
        except OSError as error:
            print(f"warning: this file system locks nothing ({error.strerror}): see to it yourself that no other run "
                  f"uses {directory}", file=sys.stderr)
        yield


def _lock(handle) -> None:
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "no locks on this system")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
