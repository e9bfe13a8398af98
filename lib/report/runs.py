"""Runs as training left them on disk: who wrote them, their settings and what they logged."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lib import files, systems
from lib.errors import UserError
from lib.run import log


class Run(NamedTuple):
    """All text is fit to be shown, see `printable`."""

    name: str  # what tables and captions call it
    directory: Path
    system: str  # of `lib.systems`
    settings: dict
    values: dict[str, dict[int, float]]  # what was logged: {quantity: {step: value}}
    means: dict[str, dict[int, float]]  # {quantity: {step of a log point: mean since the one before}}


def read(directory: Path, name: str) -> Run:
    """The run in `directory`; raises `UserError` if there is none that a report can be made of."""
    directory = Path(directory)
    path = directory / "settings.json"
    if not path.is_file():
        raise UserError(f"{directory} holds no run (no settings.json); give the directory that training wrote")
    settings = read_json(path)
    settings = settings if isinstance(settings, dict) else {}
    system = systems.system_of(settings)
    if system is None:
        known = ", ".join(systems.TITLES.values())
        raise UserError(f"{path}: no report for system {settings.get('system')!r}; there is one for {known}")
    return Run(printable(name), directory, system, settings, *_logged(directory / "log.jsonl"))


def read_json(path: Path, kind: type = object):
    """What a JSON file holds, its text fit to be shown. Raises `UserError` if it is none, or of another kind."""
    try:
        return _shown(files.read_json(path, kind))
    except RecursionError as error:
        raise UserError(f"cannot read {path}: nested too deeply") from error


def printable(text: str) -> str:
    """Text with a replacement character for what pages and pictures cannot hold: control characters, half pairs."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _shown(value):
    if isinstance(value, dict):
        return {printable(name): _shown(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return printable(value) if isinstance(value, str) else value


def _logged(path: Path) -> tuple[dict, dict]:
    """(values, means) of a log; empty without one."""
    values, means = {}, {}
    try:
        for line in map(_shown, log.read(path)):
            log.join(values, line["values"])
            log.join(means, {name: {line["step"]: mean} for name, mean in line["means"].items()})
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is not what training writes; move it away to leave it out") from error
    return values, means


def read_all(directories: Sequence[str]) -> list[Run]:
    """The runs of several directories, called by their last part where that tells them apart."""
    paths = list({Path(directory).resolve(): Path(directory) for directory in directories}.values())
    last = [path.resolve().name for path in paths]
    return [read(path, name if last.count(name) == 1 else str(path)) for path, name in zip(paths, last)]


def groups(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """Runs that can be compared: by (system, what the system's `group` says of their settings)."""
    found = {}
    for run in runs:
        try:
            common = systems.part(run.system, "report").group(run.settings)
        except UserError as error:
            raise UserError(f"{run.directory}/settings.json: {error}") from error
        found.setdefault((run.system, common), []).append(run)
    return found
