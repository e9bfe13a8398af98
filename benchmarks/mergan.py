"""MeRGAN: critic step, generator step and whole iterations with so many past classes."""

import numpy as np
import tensorflow as tf

from benchmarks import flops, yardstick
from benchmarks.flops import Network
from benchmarks.peak import DTYPES
from benchmarks.timing import ITERATIONS, Case
from lib import device, pictures
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import build_networks
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps


def cases(dataset: str, methods, past_classes, precision: str, jit: bool) -> list[Case]:
    """Critic step, generator step and iteration; SFT has no past classes, and RA's critic step is that of SFT."""
    config = Config(dataset, iterations=1, precision=precision)
    networks = build_networks(config.data, dtype=precision)
    optimizers = build_optimizers(config, networks)
    made = []
    for method in methods:
        config = Config(dataset, iterations=1, replay_alignment=method == "RA", joint_replay=method == "JTR",
                        precision=precision)
        for past in [0] if method == "SFT" else past_classes:
            about = {"system": "MeRGAN", "dataset": dataset, "method": method, "past": past, "precision": precision,
                     "jit": jit}
            steps = make_steps(config, networks, optimizers, past, jit=jit)
            made += _of_task(about, config, networks, steps, past)
    return made


def _of_task(about: dict, config: Config, networks, steps, past: int) -> list[Case]:
    images, labels = _batches(config, past)
    critic, generator = device.graph(steps.critic), device.graph(steps.generator)
    critic_noise = draw_critic_noise(config, past, 1, 0)
    generator_noise = draw_generator_noise(config, past, 1)
    batch, task, first = pictures.to_float(images[0, 0]), tf.constant(past), tf.constant(1)
    of_critic, of_generator = operations(config, networks, past)
    whole = config.critic_steps * of_critic + of_generator
    made = [
        Case(about | {"step": "critic"}, lambda: critic(batch, labels[0, 0], critic_noise), of_critic,
             config.batch_size),
        Case(about | {"step": "generator"}, lambda: generator(generator_noise), of_generator,
             config.batch_size),
        Case(about | {"step": "iteration"}, lambda: steps.iterate(images, labels, task, first), whole,
             config.critic_steps * config.batch_size, ITERATIONS),
    ]
    return made[1:] if about["method"] == "RA" else made


def _batches(config: Config, past: int) -> tuple[tf.Tensor, tf.Tensor]:
    data = config.data
    shape = [ITERATIONS, config.critic_steps, config.batch_size]
    pixels = np.random.default_rng(0).integers(0, 256, [*shape, data.side, data.side, data.channels], np.uint8)
    return tf.constant(pixels), tf.fill(shape, past)


def operations(config: Config, networks, past: int) -> tuple[float, float]:
    """Floating-point operations of a critic step and of a generator step."""
    data, batch = config.data, config.batch_size
    generator = flops.network(networks.generator, tf.zeros([1, NOISE]), tf.zeros([1], tf.int32))
    critic = flops.network(networks.critic, tf.zeros([1, data.side, data.side, data.channels]))
    replayed = past * config.replay_samples(past) if past else 0
    # Images, the penalty and the generator's cost need what layers the score needs; the class head is a small addition.
    of_critic = batch * (generator.forward + 2 * critic.trained
                         + flops.penalty(critic.without("ACGANOutput"), normalised=data.side == 64))
    of_generator = batch * _through_critic(generator, critic)
    if config.replay_alignment:
        of_generator += replayed * (generator.forward + generator.trained)
    if config.joint_replay:
        of_critic += replayed * 2 * (generator.forward + critic.trained)
        of_generator += replayed * _through_critic(generator, critic)
    return flops.operations(of_critic), flops.operations(of_generator)


def _through_critic(generator: Network, critic: Network) -> int:
    """Training the generator on what the critic says of a sample."""
    return generator.trained + critic.forward + critic.to_input


def yardstick_case(precision: str, jit: bool) -> Case:
    """The hand-written critic step on what the critic step of SFT is given."""
    config = Config("mnist", iterations=1, precision=precision)
    step = yardstick.make_step(DTYPES[precision], jit=jit)
    images, labels = _batches(config, 0)
    noise = draw_critic_noise(config, 0, 1, 0)
    batch = pictures.to_float(images[0, 0])
    about = {"system": "yardstick", "dataset": "mnist", "method": "SFT", "past": 0, "precision": precision,
             "jit": jit, "step": "critic"}
    of_critic, _ = operations(config, build_networks(config.data), 0)
    return Case(about, lambda: step(batch, labels[0, 0], noise.latent, noise.alpha), of_critic, config.batch_size)
