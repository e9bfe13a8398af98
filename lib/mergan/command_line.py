"""The flags that `mergan.py` and `joint.py` share, and what they do with them."""

from pathlib import Path

from lib import files
from lib.data import own
from lib.errors import UserError
from lib.mergan.config import Command, Config, Measured, Sequential, make_config
from lib.run import place
from lib.run.flags import Parser
from lib.run.options import Options
from lib.run.settings import settings_of


def parser(description: str, joint: bool = False) -> Parser:
    """The flags of `mergan.py` or `joint.py`."""
    flags = Parser(description).add(Config, without=settings_of(Sequential) if joint else ())
    return flags.add(Command, without=("load_model",) if joint else ()).add(Measured).add(Options)


def parsers() -> dict[str, Parser]:
    """{script: its flags}, for the README."""
    return {"mergan.py": parser(""), "joint.py": parser("", joint=True)}


def run(description: str, arguments: list[str], joint: bool = False) -> None:
    """Train or test as a command line says."""
    asked = parser(description, joint).parse(arguments)
    command, measured, options = asked.of(Command), asked.of(Measured), asked.of(Options)
    if command.test:
        if not command.result_path:
            raise UserError("--test needs --result_path, the directory that training wrote (result/...)")
        asked = asked.completed(Config, Path(command.result_path) / "settings.json")
    settings = asked.values(Config)
    if settings["dataset"] == own.NAME:
        settings |= _own_images(settings["side"], command)
    config = make_config(joint=joint, **settings)

    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device
    from lib.mergan import evaluate, train

    config = device.prepare(config, options)
    if command.test:
        evaluate.run(config, Path(command.result_path), command.data_dir, measured)
    else:
        train.run(config, Path("result") / command.result_path, command.data_dir, command.load_model, options)


def _own_images(side: int | None, command: Command) -> dict:
    """The settings that one's own images decide; a run that is tested has to have learned the same.

    Raises:
      UserError: what `own.opened` refuses, or other classes than the run has learned.
    """
    path = Path(command.result_path, "settings.json")
    there = files.read_json(path, dict) if command.test and path.exists() else {}
    found = own.opened(command.data_dir, side or own.SIDES[0])
    here = {"side": found.side, "channels": found.channels, "classes": found.classes}
    differing = [f"{name}: {there[name]} there, {value} here" for name, value in place.as_stored(here).items()
                 if there.get(name, value) != value]
    if differing:
        raise UserError(f"{command.result_path} has learned other images than {command.data_dir} holds "
                        f"({'; '.join(differing)})")
    return here
