"""The fork between two distributions: the student becomes the teacher, a new student inherits its weights.

By default a variable of the student takes the value of the teacher's variable of the same place where their shapes
agree; batch norms start afresh. With --tf1_exact the original's rule decides, which pairs variables of two lists that
it finds by parts of their names: on convolutional models it copies from the wrong layers, see `inherited_tf1`.
"""

import keras

from lib import optimizers
from lvae.checkpoint import Shapes, TF1Model, tf1_model
from lvae.config import Config
from lvae.lifelong import Lineage, forked_config
from lvae.networks import Networks, Vae, build_vae
from lvae.step import build_optimizer


def build_model(config: Config, lineage: Lineage, *, dtype: str = "") -> Vae:
    """The VAE of a run that stands at `lineage`, with fresh weights.

    Args:
      dtype: in place of the run's precision; the golden check computes in float64.
    """
    return build_vae(forked_config(config, lineage), lineage.latents, name=f"vae{lineage.forks}", seed=config.seed,
                     dtype=dtype or config.precision)


def build_student(config: Config, lineage: Lineage, *, dtype: str = "") -> tuple[Vae, keras.optimizers.Optimizer]:
    """The same with its optimiser."""
    vae = build_model(config, lineage, dtype=dtype)
    return vae, build_optimizer(config, vae.trainable_variables)


def inherited(student: TF1Model, teacher: TF1Model) -> dict[str, str]:
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


def inherit(config: Config, student: TF1Model, teacher: TF1Model) -> dict[str, str]:
    """Give a fresh student what it inherits; returns {student's variable: teacher's variable} by TF1 name."""
    if config.tf1_exact:
        pairs = inherited_tf1(student.shapes(), teacher.shapes(), student.prefix, teacher.prefix, student.scopes,
                              teacher.scopes)
    else:
        pairs = inherited(student, teacher)
    targets = student.weights() | student.slots()
    sources = teacher.weights() | teacher.slots()
    for our, their in pairs.items():
        if our in targets:
            targets[our].assign(sources[their])
        elif our.endswith("beta1_power"):
            # Adam's bias correction goes on where the teacher's stood, with fresh moments.
            optimizers.adam_of(student.optimizer).iterations.assign(optimizers.adam_of(teacher.optimizer).iterations)
    return pairs


def fork(config: Config, lineage: Lineage, networks: Networks, optimizer, new_classes: int):
    """The next student's networks, optimiser and lineage, and the pairs of variables that were copied.

    The old teacher is let go; the old student, which becomes the teacher, is not changed.
    """
    grown = lineage.forked(new_classes)
    vae, fresh = build_student(config, grown)
    pairs = inherit(config, tf1_model(config, grown, vae, fresh),
                    tf1_model(config, lineage, networks.student, optimizer))
    return Networks(vae, networks.student), fresh, grown, pairs
