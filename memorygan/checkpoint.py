"""A run's model in files: the original's checkpoints (all that its TF1 `Saver` keeps, Adam included), resume points."""

import os
from pathlib import Path

import tensorflow as tf

from lib import files, tf1
from lib.errors import UserError, reason
from memorygan import memory, networks
from memorygan.config import numbered
from memorygan.step import Model

_GLOBAL_STEP = "Variable"  # the original gives its step no name


def latest(directory: Path) -> Path:
    """The newest checkpoint that the text file `checkpoint` in `directory` names, wherever it was written.

    Raises:
      UserError: no such file or checkpoint, or a file that is something else.
    """
    listed = Path(directory) / "checkpoint"
    try:
        if listed.exists():
            files.read_plain(listed)
        state = tf.train.get_checkpoint_state(str(directory))
    except (tf.errors.OpError, ValueError) as error:
        raise UserError(f"cannot read {listed}: {reason(error)}; it should be the text file that names the newest "
                        "checkpoint") from error
    if state is None:
        raise UserError(f"no checkpoint in {directory}: there is no file 'checkpoint' that names one")
    prefix = Path(directory) / os.path.basename(state.model_checkpoint_path)
    if not tf1.exists(prefix):
        raise UserError(f"{directory}/checkpoint names {prefix.name}, but {prefix}.index is not there")
    return prefix


def by_epoch(directory: Path) -> dict[int, Path]:
    """{epoch: prefix of its checkpoint} of a run's directory, ascending."""
    return {epoch: path.with_suffix("") for epoch, path in sorted(numbered(directory, "model-", ".index").items())}


def variables(model: Model) -> dict:
    """{TF1 name: variable} of a whole checkpoint, for `tf1.write` and `tf1.assign`."""
    named = networks.tf1_variables(model.networks)
    optimizers = model.optimizers
    return (named | (memory.tf1_variables(model.memory) if model.memory else {})
            | {_GLOBAL_STEP: optimizers.global_step}
            | tf1.adam_variables(optimizers.discriminator, named, number=0)
            | tf1.adam_variables(optimizers.generator, named, number=1))


def write(prefix: Path, model: Model) -> None:
    """A whole checkpoint, which either program reads."""
    tf1.write(prefix, variables(model), meta=True)


def restore(prefix: Path, model: Model) -> None:
    """Everything from a checkpoint of either program.

    Raises:
      UserError: unreadable, or of another data set, model or size: names what does not fit.
    """
    tf1.assign(prefix, variables(model))


def state(model: Model) -> dict:
    """What a resume point holds, by name."""
    parts = {**model.networks._asdict(), **{f"{name}_state": part for name, part in model.optimizers._asdict().items()}}
    return parts | ({"memory": model.memory} if model.memory else {})
