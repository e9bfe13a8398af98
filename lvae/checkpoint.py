"""Models under their TF1 names, and the original's checkpoints `models/<name>.cpkt` of them.

One of our checkpoints holds one model, one of TF1's all models of a run.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import keras

from lib import optimizers, tf1
from lib.errors import UserError
from lvae.config import Config
from lvae.lifelong import Lineage
from lvae.networks import Vae, body_scopes, model_name, tf1_variables

_PREFIX = re.compile(r"vae(\d+)_[^/]*")

Shapes = dict[str, tuple[int, ...]]  # TF1 name -> shape, in the order in which TF1 creates the variables


class TF1Model(NamedTuple):
    """A VAE with its optimiser, under its TF1 names."""

    vae: Vae
    optimizer: keras.optimizers.Optimizer
    prefix: str
    scopes: tuple[str, str]  # of encoder and decoder

    def weights(self) -> dict[str, keras.Variable]:
        """Weights and moving statistics."""
        return tf1_variables(self.vae, self.prefix, self.scopes)

    def slots(self) -> dict[str, keras.Variable]:
        """Adam's moments."""
        names = {f"{self._adam}/{name}": variable for name, variable in self.weights().items()}
        return {name: variable for name, variable in tf1.adam_variables(self.optimizer, names).items()
                if name.startswith(self._adam)}

    def powers(self) -> dict:
        """Adam's running powers as TF1 stores them, one step ahead."""
        return {f"{self._adam}/{name}": power for name, power in tf1.adam_variables(self.optimizer, {}).items()}

    def variables(self) -> dict:
        """All variables of the model's TF1 graph, as a checkpoint of the original holds them, to write or assign.

        Of the scalars only Adam's powers mean anything: `Variable` counts steps, and the original feeds the
        temperature that it uses in place of the stored one.
        """
        scalars = {name: keras.Variable(value, trainable=False, dtype="float32", name=name) for name, value in
                   (("Variable", float(optimizers.adam_of(self.optimizer).iterations.numpy())), ("temperature", 5.0))}
        named = {f"{self.prefix}/{name}": variable for name, variable in scalars.items()}
        return named | self.weights() | self.powers() | self.slots()

    def shapes(self) -> Shapes:
        """Of all variables."""
        return {name: tuple(variable.shape) for name, variable in self.variables().items()}

    @property
    def _adam(self) -> str:
        return f"{self.prefix}/loss_optimizer"


def tf1_model(config: Config, lineage: Lineage, vae: Vae, optimizer) -> TF1Model:
    """The names of a run's model."""
    prefix = model_name(config, lineage.first, lineage.forks)
    return TF1Model(vae, optimizer, prefix, body_scopes(config.architecture, lineage.forks))


def models_in(names: Iterable[str]) -> dict[str, int]:
    """{name prefix: number of forks} of the models that variables of these TF1 names belong to."""
    return {match[0]: int(match[1]) for name in names if (match := _PREFIX.match(name))}


def _renumbered(prefix: str, number: int) -> str:
    """The name prefix of another model of the same run."""
    return f"vae{number}_{prefix.partition('_')[2]}"


def newest(path: Path, model: TF1Model) -> int:
    """Number of the last fork among the models in a checkpoint that are of the same run as `model`.

    Raises:
      UserError: unreadable, or there is no such model: says which there are.
    """
    found = {name.partition("/")[0] for name in tf1.read(path)}
    numbers = [number for prefix, number in models_in(found).items() if _renumbered(model.prefix, number) == prefix]
    if not numbers:
        raise UserError(f"{path} does not fit these networks: it holds {', '.join(sorted(found))}, not "
                        f"{model.prefix}; the names tell the flags and the script to use")
    return max(numbers)


def restore(path: Path, model: TF1Model) -> None:
    """Weights, moving statistics and Adam's state from a checkpoint of either program, earlier models left aside.

    Raises:
      UserError: unreadable, or not of such a model: names what does not fit.
    """
    number, = models_in([model.prefix]).values()
    tf1.assign(path, model.variables(), tuple(f"{_renumbered(model.prefix, earlier)}/" for earlier in range(number)))
