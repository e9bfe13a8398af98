"""The flags that `mergan.py` and `joint.py` share, and what they do with them."""

import dataclasses
from pathlib import Path

from lib.errors import UserError
from lib.mergan.config import Config, make_config
from lib.run.flags import Parser
from lib.run.options import Options
from lib.run.settings import Checked, FilePath, setting

MEASURES = ("accuracy", "reverse_accuracy", "fid")
_SEQUENTIAL = ("replay_alignment", "alignment_factor", "joint_replay", "consolidation", "consolidation_factor",
               "generative_replay", "first_tasks")  # settings that joint training has no use for


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is done, and where files lie."""

    result_path: FilePath = setting("", "Training writes to result/<result_path>; with --test this path is read as it is.",
                               original=True)
    test: bool = setting(False, "Evaluate the checkpoints of a result path with the evaluation classifier.",
                         original=True)
    load_model: FilePath = setting("", "Checkpoint prefix to start from; training then begins with the second task.",
                              original=True)
    data_dir: FilePath = setting("dataset", "Where the data sets lie: <data_dir>/mnist, <data_dir>/svhn, ...")


@dataclasses.dataclass(frozen=True)
class Measured(Checked):
    """What `--test` measures beside what the original does."""

    metrics: tuple[str, ...] = setting(("accuracy",), "With --test: what to measure, with commas between.",
                                       choices=MEASURES)
    every_task: bool = setting(False, "With --test: measure after each task.")
    inception_weights: FilePath = setting("", "With --metrics=fid: Keras' Inception-v3 weights without its top. For lsun they "
                                         "are downloaded once if there is a network; without them the evaluation "
                                         "classifier's features are used, and named so.")


def run(description: str, arguments: list[str], joint: bool = False) -> None:
    """Train or test as a command line says."""
    parser = Parser(description).add(Config, without=_SEQUENTIAL if joint else ())
    parser.add(Command, without=("load_model",) if joint else ()).add(Measured).add(Options)
    asked = parser.parse(arguments)
    config = make_config(joint=joint, **asked.values(Config))
    command, measured, options = asked.of(Command), asked.of(Measured), asked.of(Options)
    if command.test and not command.result_path:
        raise UserError("--test needs --result_path, the directory that training wrote (result/...)")

    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device
    from lib.mergan import evaluate, train

    config = device.prepare(config, options)
    if command.test:
        evaluate.run(config, Path(command.result_path), command.data_dir, measured)
    else:
        train.run(config, Path("result") / command.result_path, command.data_dir, command.load_model, options)
