"""The flags of `run.py`, and what it does with them."""

import pprint

from lib.data import own
from lib.run.flags import Parser
from lib.run.options import Options
from memorygan.config import Command, Config, Measured, logs_of, make_config


def parser(description: str) -> Parser:
    """The flags of `run.py`."""
    return Parser(description).add(Config).add(Command).add(Measured).add(Options)


def parsers() -> dict[str, Parser]:
    """{script: its flags}, for the README."""
    return {"memorygan/run.py": parser("")}


def run(description: str, arguments: list[str]) -> None:
    """Train, or generate and evaluate, as a command line says."""
    asked = parser(description).parse(arguments)
    command, measured, options = asked.of(Command), asked.of(Measured), asked.of(Options)
    if not command.is_train:
        asked = asked.completed(Config, logs_of(command.load_cp_dir) / "settings.json")
    settings = asked.values(Config)
    if settings["dataset"] == own.NAME:
        found = own.opened(command.data_dir, settings["side"] or own.SIDES[0])
        settings |= {"side": found.side, "channels": found.channels}
    config = make_config(**settings)

    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device
    from memorygan import evaluate, interpret, train

    config = device.prepare(config, options)
    flags = {name: value for kind in (Config, Command, Measured, Options) for name, value in asked.values(kind).items()}
    pprint.pprint(flags)
    pprint.pprint(config)
    if command.is_train:
        train.run(config, command, options)
    else:
        model = evaluate.load(config, command.load_cp_dir)
        directory = evaluate.run(config, model, command, measured)
        if measured.figures:
            interpret.run(config, model, command, directory)
