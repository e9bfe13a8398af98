"""Files that are complete or absent, and locks on directories."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

from lib.errors import UserError


@contextlib.contextmanager
def atomic(path: Path):
    """Yield a temporary path beside `path` that takes its place when the block ends without an error."""
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        os.chmod(temporary, 0o666 & ~_umask())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another result path") from error
    try:
        yield Path(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; free some space or choose another path"
                        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
