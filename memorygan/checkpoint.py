"""A run's model in the original's checkpoints: every variable that its TF1 `Saver` keeps, Adam's included."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lib import optimizers as adam
from lib import tf1
from lib.errors import UserError
from lib.ops import slim
from memorygan import memory, networks
from memorygan.config import Config
from memorygan.memory import Memory
from memorygan.networks import Networks
from memorygan.step import Model, Optimizers

_GLOBAL_STEP = "Variable"  # the original gives its step no name


def latest(directory: Path) -> Path:
    """The newest checkpoint that the text file `checkpoint` in `directory` names, wherever it was written.

    Raises:
      UserError: no such file or checkpoint.
    """
    try:
        state = tf.train.get_checkpoint_state(str(directory))
    except tf.errors.OpError as error:
        raise UserError(f"cannot read {directory}: {error.message}") from error
    if state is None:
        raise UserError(f"no checkpoint in {directory}: there is no file 'checkpoint' that names one")
    prefix = Path(directory) / os.path.basename(state.model_checkpoint_path)
    if not tf1.exists(prefix):
        raise UserError(f"{directory}/checkpoint names {prefix.name}, but {prefix}.index is not there")
    return prefix


def model_variables(networks_: Networks, holder: Memory | None) -> dict[str, keras.Variable]:
    """What generating needs: {TF1 name: variable} of both networks and the memory."""
    return networks.tf1_variables(networks_) | (memory.tf1_variables(holder) if holder else {})


def adam_variables(model: Model) -> dict[str, keras.Variable]:
    """Adam's moments: `<name>/Adam` the first, `<name>/Adam_1` the second."""
    names = {}
    for network, optimizer, scope in ((model.networks.discriminator, model.optimizers.discriminator, "d_/"),
                                      (model.networks.generator, model.optimizers.generator, "g_/")):
        name_of = {id(variable): name for name, variable in slim.tf1_names(network.parts(), scope).items()}
        trained = network.trainable_variables
        for variable, (first, second) in zip(trained, adam.slots(optimizer, trained), strict=True):
            names[f"{name_of[id(variable)]}/Adam"] = first
            names[f"{name_of[id(variable)]}/Adam_1"] = second
    return names


def _beta_powers(config: Config, optimizers: Optimizers) -> dict[str, np.float32]:
    """beta^(steps + 1), the factors of the next step, of the discriminator's and the generator's (`_1`) Adam."""
    powers = {}
    for optimizer, suffix in ((optimizers.discriminator, ""), (optimizers.generator, "_1")):
        steps = int(optimizer.iterations)
        for name, beta in (("beta1_power", config.beta1), ("beta2_power", config.beta2)):
            powers[name + suffix] = np.float32(np.float64(beta) ** (steps + 1))
    return powers


def contents(config: Config, model: Model) -> dict:
    """{TF1 name: value} of a whole checkpoint."""
    variables = model_variables(model.networks, model.memory) | adam_variables(model)
    return ({name: variable.value for name, variable in variables.items()}
            | {_GLOBAL_STEP: model.optimizers.global_step} | _beta_powers(config, model.optimizers))


def write(prefix: Path, config: Config, model: Model) -> None:
    tf1.write(prefix, contents(config, model))


def restore_model(prefix: Path, networks_: Networks, holder: Memory | None) -> int:
    """Networks and memory from a checkpoint of either program; returns its global step.

    Raises:
      UserError: unreadable, or of another data set, model or memory size: names what does not fit.
    """
    global_step = tf.Variable(0, dtype=tf.int32)
    tf1.assign(prefix, model_variables(networks_, holder) | {_GLOBAL_STEP: global_step})
    return int(global_step)


def restore(prefix: Path, model: Model) -> None:
    """Everything from a checkpoint of either program; one without Adam's moments leaves them as they are."""
    step = restore_model(prefix, model.networks, model.memory)
    model.optimizers.global_step.assign(step)
    values = tf1.read(prefix)
    moments = adam_variables(model)
    if not moments.keys() <= values.keys():
        print(f"{prefix} has no moments of Adam for every variable: Adam starts anew")
        return
    for name, variable in moments.items():
        variable.assign(values[name])
    # Of an iteration's two steps the discriminator's is the first.
    model.optimizers.discriminator.iterations.assign((step + 1) // 2)
    model.optimizers.generator.iterations.assign(step // 2)
