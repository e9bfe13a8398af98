"""Topics `training` and `training_float64`: short complete trainings with every random number injected.

A trajectory in float32 is chaotic: a unit at a kink flips the sign of small gradient elements, which Adam without
momentum turns into whole steps. Records of the float32 file are therefore those of the port in float64 within what
the file states for each of them, and the port in float32 stays near that: within `MARGIN` times what the file gives
as usual between two faithful float32 implementations, 15 per cent of the norm for weight changes, 4e-3 for costs.
"""

import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from lib import optimizers as adam
from lib.mergan import replay
from lib.mergan.config import DATASETS, LABELS, NOISE, Config
from lib.mergan.networks import copy_weights, tf1_variables
from lib.mergan.noise import CriticNoise, GeneratorNoise
from lib.mergan.step import build_optimizers, make_steps
from tests.golden import records
from tests.golden.mergan import common
from tests.golden.records import Comparison

CHANGE_DRIFT = records.MARGIN * 0.15
COST_DRIFT = records.MARGIN * 4e-3  # absolute


class Trajectory(NamedTuple):
    """What the files hold, under their names."""

    costs: dict[str, float]
    weights: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]  # since the very beginning
    samples: dict[str, np.ndarray]
    powers: dict[str, float]  # Adam's beta powers as TF1 keeps them
    reach: dict[str, float]  # how far Adam can have moved the elements of each variable


def compare(document, siblings=()):
    for case in common.cases(document, siblings):
        case = case._replace(precision=case.precision._replace(
            gradients=records.FLOAT64_TRAINING, outputs=records.FLOAT64_TRAINING)) if siblings else case
        ours = _train(case)
        exact = ours if siblings else _train(case._replace(precision=common.DOUBLE))
        yield from _costs(case, ours, exact)
        yield from _weights(case, ours, exact)
        yield from _changes(case, ours, exact)
        yield from _samples(case, ours, exact)
        for name, value in ours.powers.items():
            if name in document["cases"][case.name].get("adam_beta_powers", {}):
                yield Comparison(f"{case.name} adam_beta_powers", ("cases", case.name, "adam_beta_powers", name),
                                 value, records.OUTPUTS)


def compare_float64(document):
    yield from compare(document, ("training",))


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
    for name in case.document["cases"][case.name]["costs"]:
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


def _train(case) -> Trajectory:
    inputs, mode, phases = _Inputs(case), case.settings["mode"], _phases(case)
    joint = mode == "joint"
    (dataset,), first = case.stated["variables"], next(iter(phases))
    config = Config(dataset, iterations=0, joint=joint, replay_alignment=mode.startswith("ra"),
                    alignment_factor=case.settings["RA_factor"] or 0.0, joint_replay=mode.endswith("jtr"),
                    batch_size=inputs.entry(f"in/{first}/iter0/critic0")["shape"][0])
    initial = common.weights(case.stated, dataset)
    networks = common.build(DATASETS[dataset], initial, case.precision.dtype, replay=not joint)
    optimizers = build_optimizers(config, networks)
    trajectory = Trajectory({}, {}, {}, {}, {}, {})
    steps_taken, largest_step = {True: 0, False: 0}, config.learning_rate / np.sqrt(1 - config.beta_2)
    for task, (phase, (iterations, critic_steps)) in enumerate(phases.items()):
        for optimizer in (optimizers.generator, optimizers.critic):
            adam.reset(optimizer)
        _train_phase(config, networks, optimizers, inputs, phase, task, iterations, critic_steps, trajectory.costs)
        if not joint:
            copy_weights(networks.generator, networks.replay)
        for generates, optimizer in ((True, optimizers.generator), (False, optimizers.critic)):
            steps_taken[generates] += int(optimizer.iterations)
        for name, variable in tf1_variables(networks).items():
            value, change = variable.numpy(), f"end_{phase}_change/{name}"
            trajectory.weights[f"end_{phase}/{name}"] = value
            trajectory.changes[change] = value.astype(np.float64) - initial[name]
            trajectory.reach[change] = largest_step * steps_taken["Generator" in name]
        trajectory.samples.update(_sample(case, inputs, networks, phase, task, joint))
        trajectory.powers.update(_powers(config, optimizers, phase, task))
    return trajectory


def _train_phase(config, networks, optimizers, inputs, phase, task, iterations, critic_steps, costs) -> None:
    steps = make_steps(config, networks, optimizers, task)
    samples = config.replay_samples(task) if task else 0
    task_labels = np.full([config.batch_size], task, np.int32)

    @tf.function
    def critic_step(images, labels, noise):
        report = steps.critic(images, labels, noise)
        terms = report.costs
        return {"disc_cost": terms.total(config), "disc_wgan_pure": terms.wasserstein,
                "disc_wgan": terms.wasserstein + config.penalty_factor * terms.penalty,
                "gradient_penalty": terms.penalty, "acgan_real": terms.classification,
                "disc_acgan_real_acc": terms.real_accuracy, "disc_acgan_fake_acc": terms.fake_accuracy,
                "JTR_disc_cost": report.terms.get("JTR_disc_cost", 0.0)}

    @tf.function
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


def _sample(case, inputs, networks, phase, task, joint) -> dict:
    """Generated images of the fixed noise, by label; in joint training all labels of each noise vector."""
    if joint:
        noise = inputs.draw("noise/joint_fixed_noise")[:, 0]
        name = f"end_{phase}_samples/all"
        labels = case.document["tensors"][f"{case.name}/{name}"]["shape"][0] // len(noise)
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
