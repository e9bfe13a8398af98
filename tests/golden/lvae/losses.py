"""Topics `losses` and `losses_cnn`: every term of the lifelong class's cost, its gradients, its batches."""

import dataclasses
import functools

import tensorflow as tf

from lvae import lifelong, losses
from lvae.networks import Latents, Networks
from tests.golden import records, registry
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS | {"model_name"}
_BATCHES = "batch_composition"


def cases(document):
    batches = {_BATCHES: functools.partial(_batch_composition, document[_BATCHES])} if _BATCHES in document.data else {}
    return registry.by_name(_compare)(document) | batches


def _compare(document, name):
    case = document["cases"][name]
    values = records.weights(document["prefix"], case["variables"])
    if "training" in case:
        return _with_batch_norm(name, case, values)
    return Student(name, case, values).compare(("cases", name), case)


class Student:
    """The model of a case, with its teacher if it has one."""

    def __init__(self, name: str, case: dict, values: dict):
        self.name, self.prefix = name, case["model_name"]
        likelihood = next((kind for kind in ("normal", "logistic") if kind in name), "bernoulli")
        shape = common.architecture(common.of_model(values, self.prefix), case["x"]["shape"], likelihood)
        self.config = common.config(shape, latent_size=case["L"], mutual_info_reg=case["mutual_info_reg"],
                                    use_bn=common.normaliser_of(values) == "batch",
                                    use_ln=common.normaliser_of(values) == "layer")
        first = Latents(case["L"], case["K"] - case["total_true_models"])
        self.lineage = lifelong.Lineage(first, case["submodel"], case["total_true_models"])
        student, self.variables = common.build(self.config, self.lineage.latents,
                                               common.of_model(values, self.prefix), "student")
        teacher, self.teacher_variables, self.teacher_prefix = None, {}, None
        if others := {key: value for key, value in values.items() if not key.startswith(f"{self.prefix}/")}:
            teacher, self.teacher_variables = self._teacher(others, case["x"]["shape"])
            self.teacher_prefix = next(iter(others)).partition("/")[0]
        self.networks = Networks(student, teacher)

    def _teacher(self, values, x_shape):
        shape = common.architecture(values, x_shape, self.config.architecture.likelihood)
        encoder_outputs = [value.shape[-1] for name, value in values.items() if "/encoder/" in name][-1]
        latents = Latents(self.lineage.first.continuous, encoder_outputs - 2 * self.lineage.first.continuous)
        settings = dataclasses.replace(self.config, architecture=shape)
        return common.build(settings, latents, values, "teacher")

    def outcome(self, case) -> tuple[lifelong.Outcome, dict]:
        """The costs on the case's batch, and the gradients of their total by TF1 name."""
        noise = common.lifelong_noise(common.noise(case["noise"]))
        with tf.GradientTape() as tape:
            outcome = lifelong.student_costs(self.config, self.networks, self.lineage,
                                             tf.constant(common.draw(case["x"])), noise, case["tau"],
                                             training=case["is_training"])
            total = outcome.costs.total(self.config)
        return outcome, common.gradients(tape, total, self.variables)

    def compare(self, path, case, key=""):
        """Compare everything recorded under `path`; `key` leads from the case to its records' keys."""
        key = f"{self.name}/{key}" if key else self.name
        outcome, gradients = self.outcome(case)
        shares = lifelong.shares(self.config, self.lineage, case["B"])
        for name, share in zip(("num_current", "num_replayed"), shares):
            yield Comparison(f"{self.name} shares", (*path, name), share, records.EXACT)
        scalars = self.scalars(outcome, gradients)
        for name in case["scalars"]:
            yield _number(f"{self.name} costs", (*path, "scalars", name), scalars[name], case)
        yield from common.tensors(f"{self.name} outputs", (*path, "records"), case["records"],
                                  self.outputs(outcome, case), records.OUTPUTS, key)
        if "gradients" in case:
            yield from common.tensors(f"{self.name} gradients", (*path, "gradients"), case["gradients"],
                                      common.shortened(gradients, self.prefix, "S"), records.GRADIENTS, f"{key}/grad")

    def scalars(self, outcome, gradients) -> dict[str, tuple]:
        """(value, sum of the absolute terms behind it) of every recorded number."""
        costs = outcome.costs
        rows = {"log_likelihood_mean": costs.log_likelihood, "latent_kl_mean": costs.latent_kl,
                "elbo_mean": costs.elbo, "cost_mean": costs.rows(self.config), "kl_consistency_mean": costs.consistency}
        numbers = {name: (tf.reduce_mean(row), float(tf.reduce_mean(tf.abs(row))) or 1.0) for name, row in rows.items()}
        numbers["mutual_information"] = costs.mutual_information, 1.0
        numbers["grad_norm"] = tf.linalg.global_norm(list(gradients.values())), 1.0
        numbers["bits_per_dim"] = tf.reduce_mean(losses.bits_per_dimension(self.config, costs.elbo)), 1.0
        if outcome.teacher is not None:
            numbers["consistency_accuracy"] = outcome.consistency_accuracy, 1.0
        return numbers

    def outputs(self, outcome, case) -> dict:
        costs, seen = outcome.costs, outcome.student
        outputs = {
            "x_augmented": outcome.images, "z": seen.latent.z, "z_discrete": seen.latent.discrete,
            "pre_gumbel": tf.nn.softmax(seen.posterior.logits), "kl_normal": costs.kl_normal,
            "kl_discrete": costs.kl_discrete, "latent_kl": costs.latent_kl, "log_likelihood": costs.log_likelihood,
            "kl_consistency": costs.consistency, "cost": costs.rows(self.config),
            "p_mean": losses.likelihood(self.config).mean(seen.output),
        }
        if outcome.teacher is not None:
            replayed, classes = outcome.teacher.logits.shape[0], self.lineage.latents.classes
            noise = common.lifelong_noise(common.noise(case["noise"]))
            outputs |= {
                "replay_x_all": outcome.replayed,
                "replay_z_all": lifelong.prior_sample(self.networks.teacher.latents, noise.replay),
                "teacher_posterior_padded": losses.padded_probabilities(outcome.teacher.logits, classes),
                "student_posterior_replayed": outputs["pre_gumbel"][-replayed:],
            }
        return outputs


def _number(group: str, path: tuple, ours: tuple, case: dict) -> Comparison:
    value, terms = ours
    if path[-1] == "mutual_information" and case["K"] == 1:
        # Exactly zero; what a file holds is the rounding of logarithms of one.
        return Comparison(group, path, value, common.ROUNDING, noise=1.0)
    tolerance = records.GRADIENTS if path[-1] == "grad_norm" else records.OUTPUTS
    return Comparison(group, path, value, tolerance, terms=terms)


def _with_batch_norm(name, case, values):
    """Inference, training, the moving statistics after it, inference again."""
    student = Student(name, case["inference"], values)
    yield from student.compare(("cases", name, "inference"), case["inference"], "inference")
    yield from student.compare(("cases", name, "training"), case["training"], "training")
    moving = common.shortened(common.moving(student.variables), student.prefix, "S")
    if student.teacher_prefix:
        moving |= common.shortened(common.moving(student.teacher_variables), student.teacher_prefix, "T")
    yield from common.tensors(f"{name} moving statistics", ("cases", name, "after"), case["after"], moving,
                              records.OUTPUTS, f"{name}/after")
    scalars = student.scalars(*student.outcome(case["inference"]))
    for scalar in case["inference_after"]:
        yield _number(f"{name} costs", ("cases", name, "inference_after", scalar), scalars[scalar], case["inference"])


def _current(batch: int, new_classes: int) -> int:
    lineage = lifelong.Lineage(Latents(1, 1), new_classes, new_classes)
    return lifelong.shares(common.config(None), lineage, batch)[0]


def _batch_composition(stored):
    path = (_BATCHES,)
    listed = [[batch, [_current(batch, classes) for classes in range(len(row))]]
              for batch, row in stored["num_current_for_T_0_to_11_by_batch_size"]]
    yield Comparison("shares", (*path, "num_current_for_T_0_to_11_by_batch_size"), listed, records.EXACT)
    differing = [[batch, classes, _current(batch, classes), batch // (classes + 1)]
                 for batch in range(1, 301) for classes in range(111)
                 if _current(batch, classes) != batch // (classes + 1)]
    yield Comparison("shares", (*path, "differs_from_integer_division_[B,T,num_current,B//(T+1)]"), differing,
                     records.EXACT)
    yield Comparison("shares", (*path, "how_many_differ_for_B_1..300_T_0..110"), len(differing), records.EXACT)
