"""Topics `training`, `training_cnn` and `fork_map`: steps, forks and what a fork copies.

Steps are recomputed in float64. A digest's mean adds up the rounding that its elements have in common. Where all are
positive, as in Adam's second moments, that is many times the norm the README measures it by: a millionth in every
element of the largest kernels is more than the README's tolerance. There the elements' common rounding is allowed for.
"""

import tensorflow as tf

from lvae import checkpoint, fork, lifelong, step
from lvae.config import Architecture
from lvae.networks import Latents, Networks, model_name
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

_DTYPE = "float64"
# Relative, of float32 second moments; measured 1e-6 between builds, 2.4e-6 against float64. With the records' margin
# it is less than the 1.3e-5 by which float32 shifts Adam's 1 - beta_2.
_SECOND_MOMENT = {"deviation": 3e-6, "aligned": True}

FORK_MAP_SETTINGS = common.SETTINGS | {"new_classes"}
SETTINGS = FORK_MAP_SETTINGS - {"K", "total_true_models"} | {
    "plan", "event", "tag", "model", "student", "variables_M0", "injected_kernels"}


def compare(document, name):
    return Course(document, name, document["cases"][name]).compare()


class Course:
    """A training course: the models of one case, one after the other."""

    def __init__(self, document, name, case):
        self.name, self.case = name, case
        self.document, given = document, case["config"]
        body, sizes = given["net"], tuple(given.get("sizes", ()))
        shape = Architecture(body, tuple(given["img_shape"]), given["dist"], sizes,
                             tuple(given.get("dec_sizes", sizes)))
        self.config = common.config(
            shape, latent_size=given["L"], learning_rate=given["lr"], mutual_info_reg=given.get("reg", 0.0),
            batch_size=given["B"], use_bn=given.get("use_bn", False), use_ln=given.get("use_ln", False))
        self.lineage = lifelong.Lineage(Latents(given["L"], 1))
        student, self.optimizer = fork.build_student(self.config, self.lineage, dtype=_DTYPE)
        self.networks, self.models = Networks(student, None), []
        self._begin()
        common.inject(self.model.weights(), records.weights(document["prefix"], case["variables_M0"]))

    def _begin(self):
        """Steps and names of the model that was just made."""
        self.steps = step.make_steps(self.config, self.lineage.forks, self.lineage, self.networks, self.optimizer,
                                     step.start_clock())
        self.model = checkpoint.tf1_model(self.config, self.lineage, self.networks.student, self.optimizer)
        self.models.append(self.model)

    def _short(self, named: dict) -> dict:
        for number, model in enumerate(self.models):
            named = common.shortened(named, model.prefix, f"M{number}")
        return named

    def compare(self):
        at = ("cases", self.name)
        for number, event in enumerate(self.case["events"]):
            path = (*at, "events", number)
            advance = self._fork if event["event"] == "fork" else self._step
            yield from advance(path, event)
            key = event.get("tag") or f"{self.name}/fork{self.lineage.forks}"
            yield from common.tensors(f"{self.name} weights", (*path, "weights"), event.get("weights", {}),
                                      self._short(self.model.weights()), records.GRADIENTS, key)
        names = [model_name(self.config, self.lineage.first, forks) for forks in range(len(self.models))]
        yield Comparison(self.name, (*at, "model_names"), names, records.EXACT)
        if self.case.get("all_variable_names_of_last_model"):
            listed = [[name, list(shape)] for name, shape in self._short(self.model.shapes()).items()]
            yield Comparison(self.name, (*at, "all_variable_names_of_last_model"), listed, records.EXACT)

    def _step(self, path, event):
        images = tf.constant(common.draw(event["x"]), _DTYPE)
        noise = common.lifelong_noise(common.noise(event["noise"]), _DTYPE)
        if event["event"] == "train":
            outcome, _, _ = self.steps.train(images, noise, 1.0)
        else:
            outcome = lifelong.evaluation_costs(self.config, self.networks, self.lineage, images, noise, 1.0)
        costs = outcome.costs
        settings = lifelong.forked_config(self.config, self.lineage)
        ours = {"cost": costs.rows(settings), "elbo": costs.elbo, "log_likelihood": costs.log_likelihood,
                "latent_kl": costs.latent_kl}
        for quantity, rows in ours.items():
            yield Comparison(f"{self.name} costs", (*path, quantity), tf.reduce_mean(rows), records.OUTPUTS)
        if "teacher_moving" in event:
            moving = self._short(common.moving(self.models[-2].weights()))
            yield from common.tensors(f"{self.name} teacher", (*path, "teacher_moving"), event["teacher_moving"],
                                      moving, records.OUTPUTS, f"{event['tag']}/T")
        if "adam_end" in event:
            yield from self._adam(path, event)
            for name, power in self._short(self.model.powers()).items():
                yield Comparison(f"{self.name} Adam", (*path, "powers_end", name), power, records.OUTPUTS)

    def _adam(self, path, event):
        slots = self._short(self.model.slots())
        for name, stored in event["adam_end"].items():
            yield from common.tensors(f"{self.name} Adam", (*path, "adam_end"), {name: stored}, slots,
                                      records.GRADIENTS, f"{event['tag']}/adam",
                                      **(_SECOND_MOMENT if name.endswith("/Adam_1") else {}))

    def _fork(self, path, event):
        grown = self.lineage.forked(event["new_classes"])
        student, optimizer = fork.build_student(self.config, grown, dtype=_DTYPE)
        teacher, model = self.model, checkpoint.tf1_model(self.config, grown, student, optimizer)
        variables = model.weights()
        for name, value in records.weights(self.document["prefix"], event["injected_kernels"]).items():
            variables[name].assign(value)
        pairs = fork.inherit(self.config, model, teacher)
        self.networks, self.optimizer, self.lineage = Networks(student, self.networks.student), optimizer, grown
        self._begin()
        shapes = self.model.shapes()
        ours = {
            "K": self.lineage.latents.classes, "total_true_models": self.lineage.new_classes,
            "num_current": lifelong.shares(self.config, self.lineage, self.config.batch_size)[0],
            "mutual_info_reg_of_student": lifelong.forked_config(self.config, self.lineage).mutual_info_reg,
            "variables_total": len(shapes), "copied_total": len(pairs),
            "after_fork_[student variable, shape, from]": self._origins(
                event["after_fork_[student variable, shape, from]"], pairs, shapes),
        }
        for name, value in ours.items():
            yield Comparison(f"{self.name} fork", (*path, name), value, records.EXACT)

    def _origins(self, stored, pairs, shapes):
        """Where the value of each of the student's variables comes from, for the kinds of variables that are listed.

        Scalars are listed where they were copied.
        """
        weights = self._short(self.model.weights())
        origins = self._short({our: self._short({their: None}) for our, their in pairs.items()})
        return [[name, list(shape), next(iter(origins.get(name, {None: None})))]
                for name, shape in self._short(shapes).items() if name in weights or name in origins]


def compare_fork_map(document, name):
    """Forks of a model with the sizes that the listed variables have."""
    case = document["cases"][name]
    listed = {entry: tuple(shape) for entry, shape in case["creation_order_M0"]}
    sizes = tuple(shape[1] for entry, shape in listed.items()
                  if entry.startswith("M0/encoder/") and "layer/layer_" in entry and entry.endswith("/weights"))
    first = next(shape for shape in listed.values() if shape)
    pixels = first[0] if sizes else first[2]
    # A decoder with two outputs per pixel gives mean and scale; of which distribution, its variables do not say.
    *_, outputs = [shape[-1] for entry, shape in listed.items()
                   if entry.startswith("M0/generator/") and entry.endswith("/weights")]
    likelihood = "logistic" if outputs == 2 * pixels else "bernoulli"
    shape = (Architecture("dense", (1, 1, pixels), likelihood, sizes, sizes) if sizes else
             Architecture("cnn", (32, 32, pixels), likelihood))
    kind = common.normaliser_of(listed)
    config = common.config(shape, latent_size=case["L"], use_bn=kind == "batch", use_ln=kind == "layer")
    lineage = lifelong.Lineage(Latents(case["L"], 1))
    student, optimizer = fork.build_student(config, lineage)
    networks, models = Networks(student, None), [checkpoint.tf1_model(config, lineage, student, optimizer)]
    path = ("cases", name)
    yield Comparison(name, (*path, "model_name_M0"), models[0].prefix, records.EXACT)
    ours = common.shortened(models[0].shapes(), models[0].prefix, "M0")
    yield Comparison(name, (*path, "creation_order_M0"), [[entry, list(size)] for entry, size in ours.items()],
                     records.EXACT)
    for number, event in enumerate(case["forks"]):
        networks, optimizer, lineage, pairs = fork.fork(config, lineage, networks, optimizer, event["new_classes"])
        models.append(checkpoint.tf1_model(config, lineage, networks.student, optimizer))
        shorten = {models[-1].prefix: f"M{number + 1}", models[-2].prefix: f"M{number}"}
        mapped = [[_shorten(our, shorten), _shorten(their, shorten)] for our, their in pairs.items()]
        yield Comparison(name, (*path, "forks", number, "map"), mapped, records.EXACT)
        yield Comparison(name, (*path, "forks", number, "student_variables"), len(models[-1].shapes()), records.EXACT)


def _shorten(name: str, prefixes: dict[str, str]) -> str:
    for prefix, short in prefixes.items():
        name = name.replace(prefix, short)
    return name
