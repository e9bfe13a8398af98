"""One training iteration of memoryGAN: a discriminator step, then a generator step on the same images."""

from typing import Callable, NamedTuple

import keras
import tensorflow as tf

from lib import device
from lib.ops import slim
from lib.optimizers import adam, descend
from lib.run import replicas
from lib.run.repeat import repeat
from memorygan import losses
from memorygan.config import Config
from memorygan.data import Augmentation, draw_augmentation, preprocess
from memorygan.memory import Memory, MemoryState
from memorygan.networks import Networks, build_networks
from memorygan.noise import Noise, draw_noise


class Optimizers(NamedTuple):
    """Both optimisers, and the count of their steps together, which drives the learning rate."""

    generator: keras.optimizers.Optimizer
    discriminator: keras.optimizers.Optimizer
    global_step: keras.Variable


class Model(NamedTuple):
    """Everything that a training changes."""

    networks: Networks
    memory: Memory | None  # None for a plain GAN
    optimizers: Optimizers

    def memory_state(self) -> MemoryState | None:
        return self.memory.state() if self.memory else None


class Steps(NamedTuple):
    """Costs are those of the weights before the update. Single steps are one replica's."""

    discriminator: Callable  # (images in the networks' range, Noise) -> Pass
    generator: Callable  # the same
    iterate: Callable  # (uint8 [k, batch, h, w, c], first) -> {quantity: float32 [k]}
    summarise: Callable  # (uint8 [batch, h, w, c], iteration) -> None; the memory alone learns from it


def build_optimizers(config: Config, networks: Networks) -> Optimizers:
    """Adam with the data set's moments for each network, its slots made."""
    settings = (config.lr, config.beta1, config.beta2)
    return Optimizers(adam(*settings, networks.generator.trainable_variables, config.precision),
                      adam(*settings, networks.discriminator.trainable_variables, config.precision),
                      keras.Variable(0, dtype="int32", trainable=False, name="global_step",
                                     aggregation="only_first_replica"))


def build_model(config: Config) -> Model:
    """A model at the start of a training."""
    networks = build_networks(config)
    memory = Memory(config.mem_size, config.key_dim) if config.has_memory else None
    return Model(networks, memory, build_optimizers(config, networks))


def learning_rate(config: Config, global_step, max_iterations: int) -> tf.Tensor:
    """Constant, or linear to zero. Steps are counted, two per iteration, but iterations are the limit: as in the
    original the rate is zero for the second half of a run."""
    if not config.lr_decay:
        return tf.constant(config.lr, tf.float32)
    done = tf.cast(tf.minimum(global_step, max_iterations), tf.float32) / float(max_iterations)
    return config.lr * (1.0 - done)


def reported_quantities(config: Config) -> list[str]:
    """Names of what an iteration reports: the original's summaries."""
    return ["d_real", "d_fake", "d_loss", "g_loss"] + (["mem_real_rate"] if config.has_memory else [])


def make_steps(config: Config, model: Model, max_iterations: int, jit: bool = False,
               strategy: tf.distribute.Strategy | None = None) -> Steps:
    """The steps of a run of `max_iterations` iterations, which only the learning rate's decay asks for.

    Args:
      jit: compile each step with XLA.
      strategy: its replicas share each batch, under whose scope the model was built.
    """
    networks, memory, optimizers = model
    discriminator_step = _make_step(config, model, optimizers.discriminator, networks.discriminator,
                                    losses.discriminator_pass, max_iterations, jit)
    generator_step = _make_step(config, model, optimizers.generator, networks.generator,
                                losses.generator_pass, max_iterations, jit)

    def costs_of(step):
        return replicas.run_on_all(strategy, lambda *given: step(*given).costs)

    discriminator_costs, generator_costs = costs_of(discriminator_step), costs_of(generator_step)

    def inputs(images, name, number):
        """A batch in the networks' range, and noise by the memory as it is now."""
        augmentation = draw_augmentation(config.seed, name, number) if config.use_augmentation else Augmentation()
        return preprocess(config.data, images, augmentation), draw_noise(config, model.memory_state(), name, number)

    def iteration(images, number):
        on_both = discriminator_costs(*inputs(images, "discriminator", number))
        on_fake = generator_costs(*inputs(images, "generator", number))
        quantities = {"d_real": on_both.real.probability, "d_fake": on_both.fake.probability,
                      "d_loss": on_both.total(config), "g_loss": on_fake.total(config)}
        if memory:
            quantities["mem_real_rate"] = tf.reduce_mean(memory.state().values)
        return quantities

    data = config.data
    batch = tf.TensorSpec([config.batch_size, data.side, data.side, data.channels], tf.uint8)

    @device.graph(input_signature=[batch, tf.TensorSpec([], tf.int32)])
    def summarise(images, number):
        images, noise = inputs(images, "summary", number)
        result = losses.discriminator_pass(config, networks, model.memory_state(), images, noise.latent, noise.slots)
        if memory:
            memory.assign(result.updates["fake"].state)

    return Steps(discriminator_step, generator_step, repeat(iteration, reported_quantities(config), batch), summarise)


def _make_step(config: Config, model: Model, optimizer, network: keras.Model, forward: Callable, max_iterations: int,
               jit: bool) -> Callable:
    """One step of Adam on the cost of a pass, and everything the pass changes, in the original's order.

    Of a batch a replica takes its share.

    Args:
      optimizer, network: what learns.
      forward: `losses.discriminator_pass` or `losses.generator_pass`.
    """
    networks, memory, optimizers = model

    def learn(images, noise: Noise):
        images, noise = tf.nest.map_structure(replicas.share, (images, noise))

        def costs():
            result = forward(config, networks, model.memory_state(), images, noise.latent, noise.slots)
            return result.costs.total(config), result

        result = descend(optimizer, network, costs)
        if memory:
            memory.assign(result.updates["fake"].state)
        slim.update_moving_averages(networks.generator.parts(), result.generator_moments)
        for moments in result.discriminator_moments:
            slim.update_moving_averages(networks.discriminator.parts(), moments)
        return result

    learn = device.compiled(learn, jit)

    def step(images, noise: Noise):
        # Outside of what XLA compiles: TensorFlow keeps int32 variables in the host's memory.
        optimizer.learning_rate.assign(learning_rate(config, optimizers.global_step, max_iterations))
        result = learn(images, noise)
        optimizers.global_step.assign_add(1)
        return result

    return step
