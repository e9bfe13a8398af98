"""One training iteration of MeRGAN: a generator step, then five critic steps, in one `tf.function`."""

from typing import Callable, NamedTuple

import keras
import tensorflow as tf

from lib import images as pictures
from lib import optimizers as adam
from lib import randomness
from lib.mergan import losses, replay
from lib.mergan.config import NOISE, LABELS, Config
from lib.mergan.networks import Networks


class Optimizers(NamedTuple):
    generator: keras.optimizers.Optimizer
    critic: keras.optimizers.Optimizer


class CriticNoise(NamedTuple):
    """What one critic step draws."""

    latent: tf.Tensor  # N(0, 1), [batch, 128]
    alpha: tf.Tensor  # U(0, 1), [batch, 1]
    fake_labels: tf.Tensor  # int32 [batch], read in joint training only
    replay: tf.Tensor  # N(0, 1), [old classes, samples, 128]


class GeneratorNoise(NamedTuple):
    """What one generator step draws. RA and JTR have their own noise each."""

    latent: tf.Tensor
    fake_labels: tf.Tensor
    alignment: tf.Tensor
    replay: tf.Tensor


class Steps(NamedTuple):
    """The steps of one task. Costs are those of the weights before the update."""

    critic: Callable  # (images, labels, CriticNoise) -> (CriticCosts, JTR's critic cost)
    generator: Callable  # (labels, GeneratorNoise) -> (GeneratorCosts, alignment cost, JTR's generator cost)
    iterate: Callable  # (uint8 [k, 5, batch, h, w, c], int32 [k, 5, batch], first) -> {quantity: float32 [k]}


def build_optimizers(config: Config, networks: Networks) -> Optimizers:
    settings = (config.learning_rate, config.beta_1, config.beta_2)
    return Optimizers(adam.adam(*settings, networks.generator.trainable_variables),
                      adam.adam(*settings, networks.critic.trainable_variables))


# Reported by the generator's step, which iteration 0 does not have.
GENERATOR_QUANTITIES = ("g-cost", "RA-cost", "JTR_gen_cost", "acgan-fake")
# Reported by the last critic step of an iteration.
CRITIC_QUANTITIES = ("d-cost", "wgan-pure", "penalty", "wgan", "acgan-real", "real_acc", "fake_acc", "JTR_disc_cost")


def reported_quantities(config: Config, task: int) -> list[str]:
    """Names of what an iteration reports, as the original prints them."""
    names = ["g-cost", "d-cost", "wgan-pure", "penalty"]
    if config.joint:
        return names + ["acgan-fake", "acgan-real", "wgan", "real_acc", "fake_acc"]
    if task and config.replay_alignment:
        names.append("RA-cost")
    if task and config.joint_replay:
        names += ["JTR_gen_cost", "JTR_disc_cost"]
    return names


def draw_latent(key, *shape: int) -> tf.Tensor:
    return tf.random.stateless_normal([*shape, NOISE], key)


def _draw_labels(config: Config, key) -> tf.Tensor:
    return tf.random.stateless_uniform([config.batch_size], key, 0, LABELS, tf.int32)


def draw_critic_noise(config: Config, task: int, iteration, step) -> CriticNoise:
    def key(name):
        return randomness.key(config.seed, f"critic/{name}", task, iteration, step)

    samples = config.replay_samples(task) if task else 0
    return CriticNoise(
        latent=draw_latent(key("latent"), config.batch_size),
        alpha=tf.random.stateless_uniform([config.batch_size, 1], key("alpha")),
        fake_labels=_draw_labels(config, key("labels")),
        replay=draw_latent(key("replay"), task, samples),
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


def _descend(optimizer, tape, cost, model) -> None:
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(cost, variables), variables)


def make_steps(config: Config, networks: Networks, optimizers: Optimizers, task: int) -> Steps:
    """The steps of task `task` (from 0, which is also the number of old classes)."""
    generator, critic = networks.generator, networks.critic
    aligns, replays = bool(task and config.replay_alignment), bool(task and config.joint_replay)

    def replay_costs(noise):
        return replay.joint_replay_costs(generator, networks.replay, critic, noise)

    def critic_step(images, labels, noise: CriticNoise):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in critic.trainable_variables])
            costs = losses.critic_costs(generator, critic, images, labels, noise.latent, noise.alpha,
                                        noise.fake_labels if config.joint else None)
            remembering = replay_costs(noise.replay).critic_total(config) if replays else 0.0
            total = costs.total(config) + remembering
        _descend(optimizers.critic, tape, total, critic)
        return costs, remembering

    def generator_step(labels, noise: GeneratorNoise):
        labels = noise.fake_labels if config.joint else labels
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in generator.trainable_variables])
            costs = losses.generator_costs(generator, critic, labels, noise.latent)
            alignment = replay.alignment_cost(config, replay.alignment_distances(
                generator, networks.replay, noise.alignment)) if aligns else 0.0
            remembering = replay_costs(noise.replay).generator_total(config) if replays else 0.0
            total = costs.total(config) + alignment + remembering
        _descend(optimizers.generator, tape, total, generator)
        return costs, alignment, remembering

    def generator_quantities(labels, number):
        costs, alignment, remembering = generator_step(labels, draw_generator_noise(config, task, number))
        return {"g-cost": costs.total(config), "RA-cost": alignment, "JTR_gen_cost": remembering,
                "acgan-fake": costs.classification}

    def critic_quantities(images, labels, number, step):
        noise = draw_critic_noise(config, task, number, step)
        costs, remembering = critic_step(pictures.to_float(images), labels, noise)
        penalty = config.penalty_factor * costs.penalty
        return {"d-cost": costs.total(config), "wgan-pure": costs.wasserstein, "penalty": penalty,
                "wgan": costs.wasserstein + penalty, "acgan-real": costs.classification,
                "real_acc": costs.real_accuracy, "fake_acc": costs.fake_accuracy, "JTR_disc_cost": remembering}

    def iteration(images, labels, number):
        # The generator sits out iteration 0 of every task, as in the original.
        quantities = tf.cond(number > 0, lambda: as_floats(generator_quantities(labels[0], number)),
                             lambda: dict.fromkeys(GENERATOR_QUANTITIES, tf.constant(float("nan"))))
        last = dict.fromkeys(CRITIC_QUANTITIES, tf.constant(0.0))
        for step in tf.range(config.critic_steps):
            last = as_floats(critic_quantities(images[step], labels[step], number, step))
        return quantities | last

    def as_floats(quantities):
        return {name: tf.cast(value, tf.float32) for name, value in quantities.items()}

    names = reported_quantities(config, task)

    data = config.data
    batch = [None, config.critic_steps, config.batch_size]

    @tf.function(input_signature=[tf.TensorSpec([*batch, data.side, data.side, data.channels], tf.uint8),
                                  tf.TensorSpec(batch, tf.int32), tf.TensorSpec([], tf.int32)])
    def iterate(images, labels, first):
        count = tf.shape(images)[0]
        history = {name: tf.TensorArray(tf.float32, count) for name in names}
        for k in tf.range(count):
            values = iteration(images[k], labels[k], first + k)
            history = {name: history[name].write(k, values[name]) for name in names}
        return {name: history[name].stack() for name in names}

    return Steps(critic_step, generator_step, iterate)
