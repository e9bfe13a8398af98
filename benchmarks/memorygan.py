"""memoryGAN: whole iterations with so many slots, and those of a plain GAN of the same networks."""

import numpy as np
import tensorflow as tf

from benchmarks import flops
from benchmarks.timing import ITERATIONS, Case
from memorygan.config import Config, make_config
from memorygan.step import build_model, make_steps


def cases(dataset: str, slots, precision: str, jit: bool) -> list[Case]:
    """The plain GAN first."""
    plain = make_config(dataset, model="GAN", discriminator="memory_d", precision=precision)
    with_memory = [make_config(dataset, mem_size=size, precision=precision) for size in slots]
    return [_case(config, jit) for config in (plain, *with_memory)]


def _case(config: Config, jit: bool) -> Case:
    model = build_model(config)
    steps = make_steps(config, model, max_iterations=1, jit=jit)
    side, channels = config.data.side, config.data.channels
    shape = [ITERATIONS, config.batch_size, side, side, channels]
    images = tf.constant(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    about = {"system": "memoryGAN", "dataset": config.dataset, "method": config.model,
             "slots": config.mem_size if config.has_memory else 0, "precision": config.precision, "jit": jit,
             "step": "iteration"}
    return Case(about, lambda: steps.iterate(images, tf.constant(0)), operations(config, model.networks),
                config.batch_size, ITERATIONS)


def operations(config: Config, networks) -> float:
    """Floating-point operations of a discriminator step and a generator step."""
    data = config.data
    generator = flops.network(networks.generator, tf.zeros([1, config.generator_inputs]), training=True)
    discriminator = flops.network(networks.discriminator, tf.zeros([1, data.side, data.side, data.channels]),
                                  training=True)
    # A query meets all keys, and so does the gradient on its way back.
    memory = 2 * config.mem_size * config.key_dim if config.has_memory else 0
    of_discriminator = generator.forward + 2 * (discriminator.trained + memory)
    # The real images only pass for their batch statistics.
    of_generator = generator.trained + 2 * discriminator.forward + discriminator.to_input + memory
    return flops.operations(config.batch_size * (of_discriminator + of_generator))
