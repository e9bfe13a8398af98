"""What a MeRGAN run keeps of itself: checkpoints as the TF1 programs write and read them, and resume points' state."""

from pathlib import Path

from lib import tf1
from lib.mergan.config import Config
from lib.mergan.methods import Method
from lib.mergan.networks import Networks, tf1_variables
from lib.mergan.step import Optimizers, build_optimizers


def model_prefix(directory: Path, config: Config, task: int, iteration: int) -> Path:
    """Where the original puts the checkpoint of a task: `model/WGAN_GP.model<class>-<iteration>`."""
    name = "" if config.joint else config.data.classes[task]
    return Path(directory) / "model" / f"WGAN_GP.model{name}-{iteration}"


def last_prefix(directory: Path, config: Config, task: int) -> Path:
    """Of the checkpoint that ends a task; a joint training is one task."""
    return model_prefix(directory, config, task, config.iterations - 1)


def finished(directory: Path, config: Config) -> dict[int, Path]:
    """{finished task: prefix of its last checkpoint}."""
    prefixes = {task: last_prefix(directory, config, task) for task in range(config.tasks)}
    return {task: prefix for task, prefix in prefixes.items() if tf1.exists(prefix)}


def checkpoint_variables(config: Config, networks: Networks, optimizers: Optimizers | None) -> dict:
    """{TF1 name: variable} of all that the original's checkpoint holds.

    `joint.py` makes its `Saver` after the optimisers, so there their state belongs to it; `mergan.py` makes it before,
    and its optimisers are not needed.
    """
    variables = tf1_variables(networks)
    if not config.joint:
        return variables
    return (variables | tf1.adam_variables(optimizers.generator, variables, number=0)
            | tf1.adam_variables(optimizers.critic, variables, number=1))


def restore(prefix: Path, config: Config, networks: Networks) -> None:
    """Give the networks the values of a checkpoint; the optimisers' state, if it holds one, is left aside.

    Raises:
      UserError: it cannot be read, or is of other networks.
    """
    # A checkpoint is read as a whole, so that what does not fit is noticed.
    optimizers = build_optimizers(config, networks) if config.joint else None
    tf1.assign(prefix, checkpoint_variables(config, networks, optimizers))


def resume_state(networks: Networks, optimizers: Optimizers, methods: list[Method]) -> dict:
    """{name: networks, optimisers and what the methods remember}, for the runner's resume points."""
    present = {f"{name}_network": network for name, network in networks.present().items()}
    of_methods = {name: part for method in methods for name, part in method.state.items()}
    return present | {f"{name}_optimizer": optimizer for name, optimizer in optimizers._asdict().items()} | of_methods
