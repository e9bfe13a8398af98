"""Where a run lies: `<base>/experiment_<n>`, and the settings by which it is found again."""

import dataclasses
import itertools
from pathlib import Path

from lib import systems
from lib.run import place, provenance
from lvae.config import Config


def settings_of(config: Config, load_model: str) -> dict:
    """What `settings.json` holds."""
    started = {"load_model": load_model} if load_model else {}
    # Rotated copies came angle by angle before; a run begun so is not gone on with in another order.
    rotated = {"rotations": "class by class"} if config.rotate else {}
    values = {name: value for name, value in dataclasses.asdict(config).items() if name != "classes" or value}
    return place.as_stored({"system": systems.TITLES["lvae"], **values, **started, **rotated})


def known(base: Path, resume: str) -> list[Path]:
    """The runs that there are, the newest first; none where a new run is asked for."""
    if resume != "auto":
        return []
    numbers = [int(number) for path in base.glob("experiment_*") if (number := path.name.partition("_")[2]).isdigit()]
    return [base / f"experiment_{number}" for number in sorted(numbers, reverse=True)]


def found(base: Path, settings: dict, resume: str, reserves: bool = True) -> Path | None:
    """Where to train, as `place.chosen` has it; a new run takes the first number that is free."""
    free = (base / f"experiment_{number}" for number in itertools.count())
    return place.chosen(known(base, resume), settings, free, reserves)


def run_around(prefix: Path) -> Path:
    """The directory of the run that a checkpoint would lie in: `<run>/models/<name>.cpkt`."""
    return prefix.absolute().parent.parent


def test_of(directory: Path) -> str:
    """The command line that evaluates the last model of a run."""
    models = directory.glob("models/*.cpkt.index")
    newest = max(models, key=lambda path: path.stat().st_mtime_ns, default=Path("MODEL.cpkt.index"))
    return provenance.command("--test", f"--load_model={newest.with_suffix('')}")
