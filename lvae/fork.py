"""The fork between two distributions: the student becomes the teacher, a new student inherits its weights.

By default a variable of the student takes the value of the teacher's variable of the same place where their shapes
agree; batch norms start afresh. With --tf1_exact the original's rule decides, which pairs variables of two lists that
it finds by parts of their names: on convolutional models it misses (quirk 3), see `inherited_tf1`.
"""

from typing import NamedTuple

import keras
import numpy as np

from lib import optimizers, tf1
from lvae.config import Config
from lvae.lifelong import Lineage, forked_config
from lvae.networks import Networks, Vae, body_scopes, build_vae, model_name, tf1_variables

# TF1 holds Adam's decay rates in float32; that makes 1 - beta_2 smaller by 1.3e-5 of itself.
_BETA_1, _BETA_2 = float(np.float32(0.9)), float(np.float32(0.999))

Shapes = dict[str, tuple[int, ...]]  # TF1 name -> shape, in the order in which TF1 creates the variables


class Model(NamedTuple):
    """A VAE with its optimiser, under its TF1 names."""

    vae: Vae
    optimizer: keras.optimizers.Optimizer
    prefix: str
    scopes: tuple[str, str]  # of encoder and decoder

    def weights(self) -> dict[str, keras.Variable]:
        return tf1_variables(self.vae, self.prefix, self.scopes)

    def slots(self) -> dict[str, keras.Variable]:
        """Adam's moments."""
        names = {f"{self._adam}/{name}": variable for name, variable in self.weights().items()}
        return {name: variable for name, variable in tf1.adam_variables(self.optimizer, names).items()
                if name.startswith(self._adam)}

    def variables(self) -> dict:
        """All variables of the model's TF1 graph, as a checkpoint of the original holds them, to write or assign.

        Of the scalars only Adam's powers mean anything: `Variable` counts steps, and the original feeds the
        temperature that it uses in place of the stored one.
        """
        scalars = {name: keras.Variable(value, trainable=False, dtype="float32", name=name) for name, value in
                   (("Variable", float(optimizers.adam_of(self.optimizer).iterations)), ("temperature", 5.0))}
        named = {f"{self.prefix}/{name}": variable for name, variable in scalars.items()}
        return named | self.weights() | self.powers() | self.slots()

    def shapes(self) -> Shapes:
        return {name: tuple(variable.shape) for name, variable in self.variables().items()}

    def powers(self) -> dict:
        """Adam's running powers as TF1 stores them, one step ahead."""
        return {f"{self._adam}/{name}": power for name, power in tf1.adam_variables(self.optimizer, {}).items()}

    @property
    def _adam(self) -> str:
        return f"{self.prefix}/loss_optimizer"


def tf1_model(config: Config, lineage: Lineage, vae: Vae, optimizer, *, lifelong: bool = True) -> Model:
    """The names of a model of the lifelong class, or of the vanilla one."""
    prefix = model_name(config, lineage.first, lineage.forks, lifelong=lifelong)
    return Model(vae, optimizer, prefix, body_scopes(config.architecture, lineage.forks))


def inherited(student: Model, teacher: Model) -> dict[str, str]:
    """{student's variable: teacher's variable} of the same place and shape, batch norms excepted."""
    ours, theirs = student.weights(), teacher.weights()
    return {our: their for (our, variable), (their, source) in zip(ours.items(), theirs.items(), strict=True)
            if variable.shape == source.shape and "BatchNorm" not in our}


def inherited_tf1(student: Shapes, teacher: Shapes, student_prefix: str, teacher_prefix: str,
                  student_scopes: tuple[str, str], teacher_scopes: tuple[str, str]) -> dict[str, str]:
    """The same by the original's rule, on all variables of both models, Adam's included.

    Per body, every name that contains the body's scope and the model's prefix is listed, and the two lists are walked
    in parallel. The prefix of a convolutional model contains `cifar_decoder`: its forked models' scope `decoder`
    therefore matches all of their variables.
    """
    pairs = {}
    for our_scope, their_scope in zip(student_scopes, teacher_scopes, strict=True):
        ours = [name for name in student if our_scope in name and student_prefix in name]
        theirs = [name for name in teacher if their_scope in name and teacher_prefix in name]
        for our, their in zip(ours, theirs):
            alike = any(kind in our and kind in their for kind in ("BatchNorm", "Adam"))
            if student[our] == teacher[their] and not alike:
                pairs[our] = their
    return {our: pairs[our] for our in student if our in pairs}


def inheritance(config: Config, student: Model, teacher: Model) -> dict[str, str]:
    """{student's variable: teacher's variable}, by TF1 name, by the rule that the run follows."""
    if not config.tf1_exact:
        return inherited(student, teacher)
    return inherited_tf1(student.shapes(), teacher.shapes(), student.prefix, teacher.prefix,
                         student.scopes, teacher.scopes)


def copy(student: Model, teacher: Model, pairs: dict[str, str]) -> None:
    """Give the student's variables their values."""
    targets = student.weights() | student.slots()
    sources = teacher.weights() | teacher.slots()
    for our, their in pairs.items():
        if our in targets:
            targets[our].assign(sources[their])
        elif our.endswith("beta1_power"):
            # Adam's bias correction goes on where the teacher's stood, with fresh moments.
            optimizers.adam_of(student.optimizer).iterations.assign(optimizers.adam_of(teacher.optimizer).iterations)


def build_optimizer(config: Config, variables: list[keras.Variable]) -> keras.optimizers.Optimizer:
    return optimizers.adam(config.learning_rate, _BETA_1, _BETA_2, variables, config.precision)


def build_student(config: Config, lineage: Lineage, *, dtype=None) -> tuple[Vae, keras.optimizers.Optimizer]:
    """A model with fresh weights and its optimiser, where the run stands now; dtype: instead of the run's."""
    config = forked_config(config) if lineage.forks else config
    name = f"vae{lineage.forks}"
    vae = build_vae(config, lineage.latents, name=name, seed=config.seed, dtype=dtype or config.precision)
    return vae, build_optimizer(config, vae.trainable_variables)


def fork(config: Config, lineage: Lineage, networks: Networks, optimizer, new_classes: int, *, student=None,
         dtype=None):
    """The next student's networks, optimiser and lineage, and the pairs of variables that were copied.

    The old teacher is let go; the old student, which becomes the teacher, is not changed.

    Args:
      student: (Vae, optimiser) to use instead of freshly built ones.
    """
    grown = lineage.forked(new_classes)
    vae, fresh = student or build_student(config, grown, dtype=dtype)
    teacher = tf1_model(config, lineage, networks.student, optimizer)
    model = tf1_model(config, grown, vae, fresh)
    pairs = inheritance(config, model, teacher)
    copy(model, teacher, pairs)
    return Networks(vae, networks.student), fresh, grown, pairs
