"""Topics `training` and `training_float64`: short complete trainings with every random number injected.

A trajectory in float32 is chaotic: a unit at a kink flips the sign of small gradient elements, which Adam without
momentum turns into whole steps. Records of the float32 file are therefore those of the port in float64 within what
the file states for each of them, and the port in float32 stays near that: within `MARGIN` times what the file gives
as usual between two faithful float32 implementations, 15 per cent of the norm for weight changes, 4e-3 for costs.
"""

import functools
import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lib import optimizers as adam
from lib.mergan import replay
from lib.mergan.config import DATASETS, LABELS, NOISE, Config
from lib.mergan.networks import build_networks, copy_weights, tf1_variables
from lib.mergan.noise import CriticNoise, GeneratorNoise
from lib.mergan.step import build_optimizers, make_steps
from tests.golden import records, registry
from tests.golden.mergan import common
from tests.golden.records import Comparison

CHANGE_DRIFT = records.MARGIN * 0.15
COST_DRIFT = records.MARGIN * 4e-3  # absolute
_DOUBLE = common.DOUBLE._replace(outputs=records.FLOAT64_TRAINING, gradients=records.FLOAT64_TRAINING)


class Trajectory(NamedTuple):
    """What the files hold of a task, under their names."""

    costs: dict[str, float]
    weights: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]  # since the very beginning
    samples: dict[str, np.ndarray]
    powers: dict[str, float]  # Adam's beta powers as TF1 keeps them
    reach: dict[str, float]  # how far Adam can have moved the elements of each variable


def cases(document, siblings=()):
    """A case is a task of a training: what its steps cost, and what is there at its end."""
    return {f"{case.name}/{phase}": functools.partial(_compare, case, number)
            for case in common.cases(document, siblings) for number, phase in enumerate(_phases(case))}


def place(path: tuple) -> str:
    training, name = path[1].split("/", 1) if path[0] == "tensors" else (path[1], path[-1])
    phase = re.match(r"(?:end_)?(\w+?)(?:_change|_samples|_adam)?/", name)
    return f"{training}/{phase[1]}/{name}" if phase else registry.place(path)


def _compare(case, number: int):
    ours, exact = (course.phase(number) for course in case.in_both_precisions(_Course))
    if ours is exact:
        case = case._replace(precision=_DOUBLE)
    yield from _costs(case, ours, exact)
    yield from _weights(case, ours, exact)
    yield from _changes(case, ours, exact)
    yield from _samples(case, ours, exact)
    for name, value in ours.powers.items():
        if name in case.document["cases"][case.name].get("adam_beta_powers", {}):
            yield Comparison(f"{case.name} adam_beta_powers", ("cases", case.name, "adam_beta_powers", name),
                             value, records.OUTPUTS)


def _costs(case, ours, exact):
    held = case.document["cases"][case.name]
    deviations = held.get("costs_deviation", {})
    for name, value in ours.costs.items():
        if name in held["costs"]:
            yield Comparison(f"{case.name} costs", ("cases", case.name, "costs", name), value,
                             case.precision.outputs, deviation=deviations.get(name, [0.0])[0],
                             exact=exact.costs[name], drift=COST_DRIFT / max(abs(exact.costs[name]), 1e-6))


def _keys(case, tensors: dict):
    """(name, key) of those tensors that the file holds."""
    for name in tensors:
        if (key := f"{case.name}/{name}") in case.document["tensors"]:
            yield name, key


def _group(case, name: str) -> str:
    return f"{case.name} {name.partition('/')[0]}"


def _weights(case, ours, exact):
    """A weight's noise is that of its change; where the change is nothing but noise, it is judged in its place."""
    tensors, noisy = case.document["tensors"], case.document.data.get("noise_only", [])
    for name, key in _keys(case, ours.weights):
        changed = f"{case.name}/{_as_change(name)}"
        if changed in noisy and exact is not ours:
            change = Comparison(_group(case, name), ("tensors", key), ours.changes[_as_change(name)], records.GRADIENTS)
            yield _as_noise(change, ours.reach[_as_change(name)], 1.0)
            continue
        share = tensors[changed]["l2"] / tensors[key]["l2"] if changed in tensors else 0.0
        yield Comparison(_group(case, name), ("tensors", key), ours.weights[name], case.precision.gradients,
                         deviation=common.deviation(case.document, changed) * share)


def _as_change(name: str) -> str:
    phase, _, variable = name.partition("/")
    return f"{phase}_change/{variable}"


def _changes(case, ours, exact):
    noisy = case.document.data.get("noise_only", [])
    for name, key in _keys(case, ours.changes):
        change = Comparison(_group(case, name), ("tensors", key), ours.changes[name], case.precision.gradients)
        if key in noisy or case.document["tensors"][key]["l2"] == 0:
            yield _as_noise(change, ours.reach[name], 1.0 if exact is not ours else case.precision.gradients)
        else:
            yield change._replace(deviation=common.deviation(case.document, key), exact=exact.changes[name],
                                  drift=CHANGE_DRIFT)


def _as_noise(change: Comparison, reach: float, tolerance: float) -> Comparison:
    """Adam makes whole steps of what float32 leaves of a gradient that is zero; of what size, is chance."""
    return change._replace(noise=reach * np.sqrt(change.ours.size), tolerance=tolerance)


def _samples(case, ours, exact):
    for name, key in _keys(case, ours.samples):
        yield Comparison(_group(case, name), ("tensors", key), ours.samples[name], case.precision.outputs,
                         deviation=common.deviation(case.document, key), aligned=True,
                         exact=exact.samples[name], drift=common.DRIFT)


def _phases(case) -> dict[str, tuple[int, int]]:
    """Name -> (iterations, critic steps per iteration), from the names of the costs."""
    phases = {}
    for name in case.settings["costs"]:
        phase, iteration, step = re.match(r"(\w+)/iter(\d+)/(?:critic)?(\d+|gen)/", name).groups()
        iterations, steps = phases.get(phase, (0, 0))
        phases[phase] = (max(iterations, int(iteration) + 1), max(steps, 0 if step == "gen" else int(step) + 1))
    return phases


class _Inputs:
    """The arrays of a training, by key without prefix."""

    def __init__(self, case):
        self._document, self._dtype = case.stated, case.precision.dtype

    def entry(self, key: str) -> dict:
        """That of `inputs` whose template `key` is an instance of, as {t} of a number or {a|b} of one of two."""
        for template, entry in self._document["inputs"].items():
            pattern = re.sub(r"\{(.*)\}", r"(?:\1)", re.sub(r"\{\w\}", r"\\d+", template.partition("/")[2]))
            if re.fullmatch(pattern, key):
                return entry
        raise KeyError(key)

    def draw(self, key: str, shape=None) -> np.ndarray:
        return common.draw(f"{self._document['prefix']}/{key}", self.entry(key), shape).astype(self._dtype)

    def labels(self, key: str) -> np.ndarray:
        return self.draw(key).astype(np.int32)

    def fake_labels(self, key: str) -> np.ndarray:
        return np.floor(LABELS * self.draw(key)).astype(np.int32)

    def replays(self, prefix: str, classes: int, samples: int) -> np.ndarray:
        return np.stack([self.draw(f"{prefix}{label}", [samples, NOISE]) for label in range(classes)]) if classes \
            else np.zeros([0, 0, NOISE], self._dtype)


class _Course:
    """A training, as far as it was asked for."""

    def __init__(self, case):
        self.case, self.inputs, self.phases, mode = case, _Inputs(case), _phases(case), case.settings["mode"]
        (dataset,), first = case.stated["variables"], next(iter(self.phases))
        self.config = Config(dataset, iterations=0, joint=mode == "joint", replay_alignment=mode.startswith("ra"),
                             alignment_factor=case.settings["RA_factor"] or 0.0, joint_replay=mode.endswith("jtr"),
                             batch_size=self.inputs.entry(f"in/{first}/iter0/critic0")["shape"][0])
        self.initial = common.weights(case.stated, dataset)
        # Networks of its own: the next task goes on with them.
        self.networks = build_networks(DATASETS[dataset], replay=not self.config.joint, dtype=case.precision.dtype)
        common.fill(self.networks, self.initial)
        self.optimizers = build_optimizers(self.config, self.networks)
        self.steps_taken, self.done = {True: 0, False: 0}, []

    def phase(self, number: int) -> Trajectory:
        """Task `number`, after all tasks before it."""
        while len(self.done) <= number:
            self.done.append(self._train(len(self.done)))
        return self.done[number]

    def _train(self, task: int) -> Trajectory:
        config, networks, optimizers = self.config, self.networks, self.optimizers
        phase, (iterations, critic_steps) = list(self.phases.items())[task]
        for optimizer in (optimizers.generator, optimizers.critic):
            adam.reset(optimizer)
        costs = _train_phase(config, networks, optimizers, self.inputs, phase, task, iterations, critic_steps)
        if not config.joint:
            copy_weights(networks.generator, networks.replay)
        for generates, optimizer in ((True, optimizers.generator), (False, optimizers.critic)):
            self.steps_taken[generates] += int(optimizer.iterations)
        largest_step = config.learning_rate / np.sqrt(1 - config.beta_2)
        values = {name: variable.numpy() for name, variable in tf1_variables(networks).items()}
        changes = f"end_{phase}_change"
        return Trajectory(
            costs=costs,
            weights={f"end_{phase}/{name}": value for name, value in values.items()},
            changes={f"{changes}/{name}": value.astype(np.float64) - self.initial[name]
                     for name, value in values.items()},
            samples=_sample(self.case, self.inputs, networks, phase, task, config.joint),
            powers=_powers(config, optimizers, phase, task),
            reach={f"{changes}/{name}": largest_step * self.steps_taken["Generator" in name] for name in values})


def _train_phase(config, networks, optimizers, inputs, phase, task, iterations, critic_steps) -> dict[str, float]:
    """Train a task; returns what its steps cost, under the files' names."""
    costs = {}
    steps = make_steps(config, networks, optimizers, task)
    samples = config.replay_samples(task) if task else 0
    task_labels = np.full([config.batch_size], task, np.int32)

    # Without autograph, which would read all the code of a step to find nothing to convert.
    @tf.function(autograph=False)
    def critic_step(images, labels, noise):
        report = steps.critic(images, labels, noise)
        terms = report.costs
        return {"disc_cost": terms.total(config), "disc_wgan_pure": terms.wasserstein,
                "disc_wgan": terms.wasserstein + config.penalty_factor * terms.penalty,
                "gradient_penalty": terms.penalty, "acgan_real": terms.classification,
                "disc_acgan_real_acc": terms.real_accuracy, "disc_acgan_fake_acc": terms.fake_accuracy,
                "JTR_disc_cost": report.terms.get("JTR_disc_cost", 0.0)}

    @tf.function(autograph=False)
    def generator_step(noise):
        # The original reports the critic's replay cost in the generator's session run too, before the update.
        replayed = replay.joint_replay_costs(
            networks.generator, networks.replay, networks.critic, noise.methods["replay"]
        ).critic_total(config) if task and config.joint_replay else 0.0
        report = steps.generator(noise)
        return {"gen_cost": report.costs.total(config), "acgan_fake": report.costs.classification,
                "RA_cost": report.terms.get("RA-cost", 0.0),
                "JTR_gen_cost": report.terms.get("JTR_gen_cost", 0.0), "JTR_disc_cost": replayed}

    def record(step, values):
        costs.update({f"{step}/{name}": float(value) for name, value in values.items()})

    def fake_labels(key):
        return inputs.fake_labels(f"{key}/fake_labels") if config.joint else task_labels

    for iteration in range(iterations):
        at = f"{phase}/iter{iteration}"
        if iteration > 0:
            key = f"noise/{at}/gen"
            record(f"{at}/gen", generator_step(GeneratorNoise(
                latent=inputs.draw(f"{key}/fake"), fake_labels=fake_labels(key),
                methods={"alignment": inputs.replays(f"{key}/ra", task, samples),
                         "replay": inputs.replays(f"{key}/jtr", task, samples)})))
        for number in range(critic_steps):
            step = f"{at}/critic{number}"
            key = f"noise/{step}"
            images = common.to_nhwc(common.to_signed(inputs.draw(f"in/{step}")), config.data)
            labels = inputs.labels(f"in/{step}/labels") if config.joint else task_labels
            record(step, critic_step(images, labels, CriticNoise(
                latent=inputs.draw(f"{key}/fake"), alpha=inputs.draw(f"{key}/alpha"), fake_labels=fake_labels(key),
                methods={"replay": inputs.replays(f"{key}/jtr", task, samples)})))
    return costs


def _sample(case, inputs, networks, phase, task, joint) -> dict:
    """Generated images of the fixed noise, by label; in joint training all labels of each noise vector."""
    if joint:
        noise = inputs.draw("noise/joint_fixed_noise")[:, 0]
        name = f"end_{phase}_samples/all"
        labels = case.stated["tensors"][f"{case.name}/{name}"]["shape"][0] // len(noise)
        images = networks.generator(np.repeat(noise, labels, axis=0),
                                    np.tile(np.arange(labels, dtype=np.int32), len(noise)))
        return {name: common.to_rows(images)}
    noise = inputs.draw("noise/fixed_noise")
    return {f"end_{phase}_samples/label{label}": common.to_rows(networks.generator(
        noise, np.full([len(noise)], label, np.int32))) for label in range(task + 1)}


def _powers(config, optimizers, phase, task) -> dict:
    """TF1 keeps beta ** (steps + 1), for the optimisers of every task so far; those of old tasks are reset as well."""
    powers = {}
    for number in range(2 * (task + 1)):
        current = (optimizers.generator, optimizers.critic)[number % 2] if number // 2 == task else None
        exponent = 1 if current is None else 1 + int(current.iterations)
        suffix = f"_{number}" if number else ""
        powers[f"end_{phase}_adam/beta1_power{suffix}"] = config.beta_1 ** exponent
        powers[f"end_{phase}_adam/beta2_power{suffix}"] = config.beta_2 ** exponent
    return powers
