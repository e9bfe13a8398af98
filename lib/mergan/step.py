"""One training iteration of MeRGAN: a generator step, then five critic steps, in one `tf.function`."""

from pathlib import Path
from typing import Callable, NamedTuple

import keras
import tensorflow as tf

from lib import device
from lib import optimizers as adam
from lib import pictures, randomness, tf1
from lib.mergan import baselines, losses, replay
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import Networks, tf1_variables
from lib.run import replicas
from lib.run.repeat import repeat


class Optimizers(NamedTuple):
    generator: keras.optimizers.Optimizer
    critic: keras.optimizers.Optimizer
    solver: keras.optimizers.Optimizer | None = None  # deep generative replay only


class CriticNoise(NamedTuple):
    """What one critic step draws."""

    latent: tf.Tensor  # N(0, 1), [batch, 128]
    alpha: tf.Tensor  # U(0, 1), [batch, 1]
    fake_labels: tf.Tensor  # int32 [batch], read in joint training only
    replay: tf.Tensor  # N(0, 1), [old classes, samples, 128]
    mixture: tf.Tensor  # N(0, 1), [replayed images in the batch, 128]: deep generative replay only


class GeneratorNoise(NamedTuple):
    """What one generator step draws. RA and JTR have their own noise each."""

    latent: tf.Tensor
    fake_labels: tf.Tensor
    alignment: tf.Tensor
    replay: tf.Tensor


class CriticReport(NamedTuple):
    costs: losses.CriticCosts
    replay: tf.Tensor  # JTR's term, 0 without it


class GeneratorReport(NamedTuple):
    costs: losses.GeneratorCosts
    alignment: tf.Tensor  # RA's term, 0 without it
    replay: tf.Tensor  # JTR's term
    consolidation: tf.Tensor  # EWC's term


class Steps(NamedTuple):
    """The steps of one task. Costs are those of the weights before the update."""

    critic: Callable  # (images, labels, CriticNoise) -> CriticReport
    generator: Callable  # (labels, GeneratorNoise) -> GeneratorReport
    iterate: Callable  # (uint8 [k, 5, batch, h, w, c], int32 [k, 5, batch], first) -> {quantity: float32 [k]}


def build_optimizers(config: Config, networks: Networks) -> Optimizers:
    def build(model):
        return adam.adam(config.learning_rate, config.beta_1, config.beta_2, model.trainable_variables,
                         config.precision)

    return Optimizers(build(networks.generator), build(networks.critic),
                      build(networks.solver) if networks.solver is not None else None)


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
    """Give the networks the values of a checkpoint; the optimisers' state, if it holds one, is left aside."""
    # A checkpoint is read as a whole, so that what does not fit is noticed.
    optimizers = build_optimizers(config, networks) if config.joint else None
    tf1.assign(prefix, checkpoint_variables(config, networks, optimizers))


def build_fisher(networks: Networks) -> list[tf.Variable]:
    """EWC's diagonal Fisher information of the generator, zero until a class is learned."""
    return [tf.Variable(tf.zeros(variable.shape), trainable=False)
            for variable in networks.generator.trainable_variables]


# Reported by the generator's step, which iteration 0 does not have.
GENERATOR_QUANTITIES = ("g-cost", "RA-cost", "JTR_gen_cost", "EWC-cost", "acgan-fake")
# Reported by the last critic step of an iteration.
CRITIC_QUANTITIES = ("d-cost", "wgan-pure", "penalty", "wgan", "acgan-real", "real_acc", "fake_acc", "JTR_disc_cost",
                     "solver-cost")


def reported_quantities(config: Config, task: int) -> list[str]:
    """Names of what an iteration reports, as the original prints them."""
    names = ["g-cost", "d-cost", "wgan-pure", "penalty"]
    if config.joint:
        return names + ["acgan-fake", "acgan-real", "wgan", "real_acc", "fake_acc"]
    if task and config.replay_alignment:
        names.append("RA-cost")
    if task and config.joint_replay:
        names += ["JTR_gen_cost", "JTR_disc_cost"]
    if task and config.consolidation:
        names.append("EWC-cost")
    if config.generative_replay:
        names.append("solver-cost")
    return names


def draw_latent(key, *shape: int) -> tf.Tensor:
    return tf.random.stateless_normal([*shape, NOISE], key)


def _draw_labels(config: Config, key) -> tf.Tensor:
    return tf.random.stateless_uniform([config.batch_size], key, 0, len(config.data.classes), tf.int32)


def draw_critic_noise(config: Config, task: int, iteration, step) -> CriticNoise:
    def key(name):
        return randomness.key(config.seed, f"critic/{name}", task, iteration, step)

    samples = config.replay_samples(task) if task else 0
    return CriticNoise(
        latent=draw_latent(key("latent"), config.batch_size),
        alpha=tf.random.stateless_uniform([config.batch_size, 1], key("alpha")),
        fake_labels=_draw_labels(config, key("labels")),
        replay=draw_latent(key("replay"), task, samples),
        mixture=draw_latent(key("mixture"), config.batch_size - baselines.new_samples(config, task)),
    )


def draw_generator_noise(config: Config, task: int, iteration) -> GeneratorNoise:
    def key(name):
        return randomness.key(config.seed, f"generator/{name}", task, iteration)

    samples = config.replay_samples(task) if task else 0
    return GeneratorNoise(
        latent=draw_latent(key("latent"), config.batch_size),
        fake_labels=_draw_labels(config, key("labels")),
        alignment=draw_latent(key("alignment"), task, samples),
        replay=draw_latent(key("replay"), task, samples),
    )


def _share(noise):
    """This replica's share of a step's noise: of a replay, which is [old classes, samples, 128], of every class."""
    return noise._replace(**{name: replicas.share(values, axis=values.shape.rank // 3)
                             for name, values in noise._asdict().items()})


def _descend(optimizer, tape, scaled_cost, model) -> None:
    """One update; the cost comes through `optimizer.scale_loss`, under the tape."""
    variables = model.trainable_variables
    # Zeros for what the cost does not reach: a class head that is not used stays where it is.
    gradients = tape.gradient(scaled_cost, [variable.value for variable in variables],
                              unconnected_gradients=tf.UnconnectedGradients.ZERO)
    # The gradient of a class table is a list of rows, one per sample, whose squares Keras would not sum per class.
    optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)


def estimate_fisher(config: Config, networks: Networks, fisher: list[tf.Variable], task: int) -> None:
    """Add the Fisher information of the class just learned."""
    labels = tf.fill([config.batch_size], task)

    @tf.function
    def add(batch):
        noise = draw_latent(randomness.key(config.seed, "fisher", task, batch), config.batch_size)
        new = baselines.fisher_of_batch(config, networks.generator, networks.critic, labels, noise)
        for total, part in zip(fisher, new, strict=True):
            total.assign_add(part / config.fisher_batches)

    for batch in range(config.fisher_batches):
        add(tf.constant(batch))


def make_steps(config: Config, networks: Networks, optimizers: Optimizers, task: int, fisher=(),
               jit: bool = False, strategy: tf.distribute.Strategy | None = None) -> Steps:
    """The steps of task `task` (from 0, which is also the number of old classes).

    Args:
      fisher: Fisher information, for EWC.
      jit: compile each step with XLA.
      strategy: its replicas share each batch, under whose scope networks and optimisers were built. Every cost but the
        alignment is a mean over samples, so a replica counts for its share of the sum of gradients.
    """
    generator, critic, solver = networks.generator, networks.critic, networks.solver
    aligns, replays = bool(task and config.replay_alignment), bool(task and config.joint_replay)
    consolidates, mixes = bool(task and config.consolidation), bool(task and config.generative_replay)

    def condition(labels, noise):
        """The labels that generated images are asked for."""
        if config.joint:
            return noise.fake_labels
        return tf.zeros_like(labels) if config.generative_replay else labels

    def replay_costs(noise):
        return replay.joint_replay_costs(generator, networks.replay, critic, noise)

    def critic_step(images, labels, noise: CriticNoise) -> CriticReport:
        images, labels, noise = replicas.share(images), replicas.share(labels), _share(noise)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in critic.trainable_variables])
            costs = losses.critic_costs(generator, critic, images, labels, noise.latent, noise.alpha,
                                        condition(labels, noise))
            remembering = replay_costs(noise.replay).critic_total(config) if replays else 0.0
            total = optimizers.critic.scale_loss((costs.total(config) + remembering) / replicas.count())
        _descend(optimizers.critic, tape, total, critic)
        return CriticReport(costs, remembering)

    def generator_step(labels, noise: GeneratorNoise) -> GeneratorReport:
        labels, noise = replicas.share(labels), _share(noise)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in generator.trainable_variables])
            costs = losses.generator_costs(generator, critic, condition(labels, noise), noise.latent)
            # A sum over samples: with r times its own part each replica stands for the whole.
            alignment = replicas.count() * replay.alignment_cost(config, replay.alignment_distances(
                generator, networks.replay, noise.alignment)) if aligns else 0.0
            remembering = replay_costs(noise.replay).generator_total(config) if replays else 0.0
            consolidation = baselines.consolidation_cost(
                config, generator, networks.replay, fisher) if consolidates else 0.0
            total = optimizers.generator.scale_loss(
                (costs.total(config) + alignment + remembering + consolidation) / replicas.count())
        _descend(optimizers.generator, tape, total, generator)
        return GeneratorReport(costs, alignment, remembering, consolidation)

    def solver_step(mixture, replayed: int):
        labels = baselines.mixed_labels(networks.replay_solver, mixture, replayed, task)
        with tf.GradientTape() as tape:
            cost = baselines.solver_cost(solver, mixture, labels)
            scaled = optimizers.solver.scale_loss(cost)
        _descend(optimizers.solver, tape, scaled, solver)
        return cost

    critic_step, generator_step, solver_step = (device.compiled(step, jit) for step in
                                                (critic_step, generator_step, solver_step))
    critic_step, generator_step = (replicas.run_on_all(strategy, step) for step in (critic_step, generator_step))

    def generator_quantities(labels, number):
        report = generator_step(labels, draw_generator_noise(config, task, number))
        return {"g-cost": report.costs.total(config), "RA-cost": report.alignment, "JTR_gen_cost": report.replay,
                "EWC-cost": report.consolidation, "acgan-fake": report.costs.classification}

    def critic_quantities(images, labels, number, step):
        noise, images = draw_critic_noise(config, task, number, step), pictures.to_float(images)
        if mixes:
            images = baselines.mix_with_replay(networks.replay, images, noise.mixture)
        report = critic_step(images, labels, noise)
        costs, penalty = report.costs, config.penalty_factor * report.costs.penalty
        return {"d-cost": costs.total(config), "wgan-pure": costs.wasserstein, "penalty": penalty,
                "wgan": costs.wasserstein + penalty, "acgan-real": costs.classification,
                "real_acc": costs.real_accuracy, "fake_acc": costs.fake_accuracy, "JTR_disc_cost": report.replay,
                "solver-cost": solver_step(images, noise.mixture.shape[0]) if config.generative_replay else 0.0}

    def iteration(images, labels, number):
        # The generator sits out iteration 0 of every task, as in the original.
        quantities = tf.cond(number > 0, lambda: as_floats(generator_quantities(labels[0], number)),
                             lambda: dict.fromkeys(GENERATOR_QUANTITIES, tf.constant(0.0)))
        last = dict.fromkeys(CRITIC_QUANTITIES, tf.constant(0.0))
        for step in tf.range(config.critic_steps):
            last = as_floats(critic_quantities(images[step], labels[step], number, step))
        return quantities | last

    def as_floats(quantities):
        return {name: tf.cast(value, tf.float32) for name, value in quantities.items()}

    data = config.data
    batch = [config.critic_steps, config.batch_size]
    iterate = repeat(iteration, reported_quantities(config, task),
                     tf.TensorSpec([*batch, data.side, data.side, data.channels], tf.uint8),
                     tf.TensorSpec(batch, tf.int32))
    return Steps(critic_step, generator_step, iterate)
