"""The directory of a run: chosen, reserved, and compared with the settings that were asked for."""

import contextlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from lib import files
from lib.errors import UserError

FINISHED = "finished"
CIRCUMSTANCES = "circumstances.json"  # what a run met with: data, threads. Not compared where a run is looked for
_MARKS = (FINISHED, "complete.json")  # the second is what the Lifelong VAE wrote before


class Origin(NamedTuple):
    """Where a run's data come from."""

    source: str  # in words: files, or TFDS and its version
    fingerprint: str  # of the images, hexadecimal


def as_stored(settings: dict) -> dict:
    """Settings as JSON gives them back: tuples become lists."""
    return json.loads(json.dumps(settings))


def is_finished(directory: Path) -> bool:
    return any((Path(directory) / mark).exists() for mark in _MARKS)


def _first(directories: Iterable[Path], settings: dict, fits: Callable[[Path], bool]) -> Path | None:
    """The first of these directories that holds a run of these very settings and fits.

    What cannot be read is somebody else's and passed over.
    """
    wanted = as_stored(settings)
    for directory in directories:
        with contextlib.suppress(UserError, OSError):
            if fits(directory) and files.read_json(directory / "settings.json") == wanted:
                return directory
    return None


def newest_unfinished(directories: Iterable[Path], settings: dict) -> Path | None:
    """The first of these directories, given the newest first, that holds an unfinished run of these very settings."""
    return _first(directories, settings, lambda directory: not is_finished(directory))


def finished_one(directories: Iterable[Path], settings: dict, data: Origin | None,
                 test: Callable[[Path], str]) -> Path | None:
    """The first of these directories that holds a finished run of these very settings on these very data; says so.

    Args:
      test: a run's directory -> the command line that evaluates it.
    """
    def fits(directory: Path) -> bool:
        known = circumstances(directory).get("data_fingerprint")
        return is_finished(directory) and (data is None or known in (None, data.fingerprint))

    found = _first(directories, settings, fits)
    if found:
        print(f"{found} is complete; --resume=never trains again, and this evaluates it: {test(found)}")
    return found


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


def chosen(known: Iterable[Path], settings: dict, free: Iterable[Path], reserves: bool) -> Path | None:
    """Where to train: in the newest unfinished run of these settings, else in the first directory that is free.

    Args:
      known: the runs that there are, the newest first.
      free: names for a new one.
      reserves: who does not, as it keeps no run, gets None in place of a new one.
    """
    unfinished = newest_unfinished(known, settings)
    return unfinished if unfinished or not reserves else reserved(free)


def circumstances(directory: Path) -> dict:
    """What the run in a directory met with last; empty for a run from before this was noted."""
    path = Path(directory) / CIRCUMSTANCES
    return files.read_json(path, dict) if path.exists() else {}


def check_circumstances(directory: Path, here: dict) -> None:
    """Say where a run goes on otherwise than it began.

    Args:
      here: "threads", "versions", and "data" and "data_fingerprint" where there are data.

    Raises:
      UserError: with other data.
    """
    there = circumstances(directory)
    if here.get("data"):
        print(f"data: {here['data']}")
    if there.get("data_fingerprint") not in (None, here.get("data_fingerprint")):
        raise UserError(f"{directory} holds a run on other data ({there.get('data')} then, {here.get('data')} now, and "
                        "other images); give it the data it began with, or begin anew: choose another result path, or "
                        "--resume=never where runs are numbered")
    for name, title in (("threads", "--threads"), ("versions", "versions")):
        if there.get(name) not in (None, here[name]):
            print(f"note: {directory}: {title} {there[name]} before, {here[name]} now: the numbers differ a little")


def write_circumstances(directory: Path, here: dict) -> None:
    """Keep them, with what older ones know besides."""
    files.write_json(Path(directory) / CIRCUMSTANCES, circumstances(directory) | here)


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
    stored = files.read_json(path, dict)
    differing = [f"{name}: {stored.get(name)} there, {settings.get(name)} asked"
                 for name in sorted(stored.keys() | settings.keys()) if stored.get(name) != settings.get(name)]
    if differing:
        raise UserError(f"{directory} holds a run with other settings ({'; '.join(differing)}); "
                        "choose another result path")
    return True
