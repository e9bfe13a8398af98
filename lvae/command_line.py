"""The flags of all run scripts, and what they mean together."""

import contextlib
import sys
from pathlib import Path

from lib import errors
from lib.data import own
from lib.errors import UserError
from lib.run.flags import Parser
from lib.run.options import Options
from lvae.config import EXPERIMENTS, Command, Config, OwnImages, make_config
from lvae.places import run_around


def parser(experiment: str) -> Parser:
    """The flags of an experiment's script."""
    about = EXPERIMENTS[experiment]
    flags = Parser(f"Lifelong VAE: {about.description}")
    flags.add(Config, without=() if about.permutes else ("permutations",))
    if experiment == own.NAME:
        flags.add(OwnImages)
    for name in about.rotatable:
        flags.add_switch(f"rotate_{name}", f"Add ten rotated copies of every distribution of {name}.", original=True)
    return flags.add(Command).add(Options)


def parsers() -> dict[str, Parser]:
    """{script: its flags}, for the README."""
    scripts = sorted(Path(__file__).parent.glob("run_*.py"))
    return {f"lvae/{script.name}": parser(experiment_of(script)) for script in scripts}


def experiment_of(script: str | Path) -> str:
    """The experiment that a script is named after: `run_<experiment>.py` or `run_<experiment>_experiment.py`."""
    return Path(script).stem.removeprefix("run_").removesuffix("_experiment")


def read(experiment: str, arguments: list[str]) -> tuple[Config, Command, Options]:
    """What a command line asks of an experiment."""
    asked = parser(experiment).parse(arguments)
    command = asked.of(Command)
    if command.test:
        asked = asked.completed(Config, run_around(Path(command.load_model)) / "settings.json")
    rotate = tuple(name for name in EXPERIMENTS[experiment].rotatable if asked.flag(f"rotate_{name}"))
    settings = {"rotate": rotate, **asked.values(Config)}
    if experiment == own.NAME:
        images = asked.of(OwnImages)
        found = own.opened(command.data_dir, images.side)
        settings |= {"architecture": images.architecture(found.channels), "classes": found.classes}
    return make_config(experiment, **settings), command, asked.of(Options)


def found_device(command: Command) -> str:
    """TensorFlow's name of --device, or of the CPU, with a warning, where there is no such device."""
    import tensorflow as tf

    try:
        wanted = tf.DeviceSpec.from_string(command.device.lower().replace("/gpu", "/device:GPU").replace(
            "/cpu", "/device:CPU"))
    except ValueError as error:
        raise UserError(f"--device={command.device}: not a device; write /gpu:0 or /cpu:0") from error
    kind = wanted.device_type or "CPU"
    index = wanted.device_index or 0
    if index < len(tf.config.list_physical_devices(kind)):
        return f"/device:{kind}:{index}"
    if not command.allow_soft_placement:
        raise UserError(f"--device={command.device}: there is no such device; leave out --allow_soft_placement=False "
                        "to run on the CPU")
    print(f"warning: there is no {command.device}; running on the CPU", file=sys.stderr)
    return "/device:CPU:0"


def run(experiment: str, arguments: list[str]) -> None:
    """Train, or evaluate a checkpoint, as a command line says."""
    config, command, options = read(experiment, arguments)

    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device
    from lvae import examine, train

    config = device.prepare(config, options)
    spread = options.strategy != "none" and not command.test  # the strategy says where
    with contextlib.nullcontext() if spread else device.tf.device(found_device(command)):
        if command.test:
            examine.run(config, command)
        else:
            train.run(config, command.base_dir, command.data_dir, command.load_model, options, command.frechet)


def main(script: str) -> None:
    """Run the experiment of a script."""
    errors.run(lambda arguments: run(experiment_of(script), arguments))


def run_named(arguments: list[str]) -> None:
    """Run the experiment that stands before its flags."""
    if arguments in (["-h"], ["--help"]):
        print("usage: lvae EXPERIMENT [--flag value]...   (lvae EXPERIMENT --help: its flags)\n")
        print("\n".join(f"  {name:19}{about.description}" for name, about in EXPERIMENTS.items()))
        return
    if not arguments or arguments[0] not in EXPERIMENTS:
        raise UserError(f"begin with the experiment, as `lvae mnist --help`: one of {', '.join(EXPERIMENTS)}")
    run(arguments[0], arguments[1:])


def installed() -> None:
    """The command `lvae`."""
    errors.run(run_named)
