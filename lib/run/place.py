"""The directory of a run: chosen, reserved, and compared with the settings that were asked for."""

import json
from collections.abc import Iterable
from pathlib import Path

from lib import files
from lib.errors import UserError

FINISHED = "finished"
_MARKS = (FINISHED, "complete.json")  # the second is what the Lifelong VAE wrote before


def as_stored(settings: dict) -> dict:
    """Settings as JSON gives them back: tuples become lists."""
    return json.loads(json.dumps(settings))


def is_finished(directory: Path) -> bool:
    return any((Path(directory) / mark).exists() for mark in _MARKS)


def newest_unfinished(directories: Iterable[Path], settings: dict) -> Path | None:
    """The first of these directories, given the newest first, that holds an unfinished run of these very settings.

    What cannot be read is somebody else's and passed over.
    """
    wanted = as_stored(settings)
    for directory in directories:
        stored = directory / "settings.json"
        try:
            if stored.exists() and not is_finished(directory) and files.read_json(stored) == wanted:
                return directory
        except (UserError, OSError):
            continue
    return None


def reserved(candidates: Iterable[Path]) -> Path:
    """Make the first of these directories that is not there yet: runs that start together get one each."""
    for directory in candidates:
        files.make_directory(directory.parent)
        try:
            directory.mkdir()
            return directory
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(f"cannot create {directory}: {error.strerror}; choose another result path") from error
    raise UserError("every directory that the run could be kept in is taken; choose another result path")


def _holds_runs(path: Path) -> bool:
    """Whether this is the directory of a run, or of such directories."""
    if not path.is_dir() or path.is_symlink():
        return False
    if (path / "settings.json").exists():
        return True
    below = list(path.iterdir())
    return bool(below) and all(_holds_runs(entry) for entry in below)


def check_settings(directory: Path, settings: dict) -> bool:
    """True if `directory` holds a run with these very settings, False if it is free; else `UserError`."""
    path = Path(directory) / "settings.json"
    if not path.exists():
        # Runs below it are neighbours: MeRGAN's original writes to `result/` where no path is given.
        foreign = sorted(entry.name for entry in Path(directory).iterdir()
                         if not entry.name.startswith(".") and not _holds_runs(entry))
        if foreign:
            raise UserError(f"{directory} holds files of another program or run ({', '.join(foreign[:3])}); "
                            "choose another result path or move them away")
        return False
    stored = files.read_json(path)
    differing = [f"{name}: {stored.get(name)} there, {settings.get(name)} asked"
                 for name in sorted(stored.keys() | settings.keys()) if stored.get(name) != settings.get(name)]
    if differing:
        raise UserError(f"{directory} holds a run with other settings ({'; '.join(differing)}); "
                        "choose another result path")
    return True
