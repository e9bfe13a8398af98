"""One training iteration of memoryGAN: a discriminator step, then a generator step on the same images."""

from typing import Callable, NamedTuple

import keras
import tensorflow as tf

from lib import device
from lib import optimizers as adam
from lib import randomness
from lib.ops import slim
from memorygan import losses, memory
from memorygan.config import Config
from memorygan.data import Augmentation, draw_augmentation, preprocess
from memorygan.memory import Memory
from memorygan.networks import Networks, build_networks


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


class Noise(NamedTuple):
    """What one step draws."""

    latent: tf.Tensor  # U(-1, 1), [batch, z_dim]
    slots: tf.Tensor  # int32 [batch], the memory slots of the generated images


class Steps(NamedTuple):
    """Costs are those of the weights before the update."""

    discriminator: Callable  # (images in the networks' range, Noise) -> Pass
    generator: Callable  # the same
    iterate: Callable  # (uint8 [k, batch, h, w, c], first) -> {quantity: float32 [k]}
    summarise: Callable  # (uint8 [batch, h, w, c], iteration) -> None; the memory alone learns from it


def build_optimizers(config: Config, networks: Networks) -> Optimizers:
    settings = (config.lr, config.beta1, config.beta2)
    return Optimizers(adam.adam(*settings, networks.generator.trainable_variables, config.precision),
                      adam.adam(*settings, networks.discriminator.trainable_variables, config.precision),
                      keras.Variable(0, dtype="int32", trainable=False, name="global_step"))


def build_model(config: Config) -> Model:
    networks = build_networks(config, dtype=config.precision)
    holder = Memory(config.mem_size, config.key_dim) if config.has_memory else None
    return Model(networks, holder, build_optimizers(config, networks))


def learning_rate(config: Config, global_step, max_iterations: int) -> tf.Tensor:
    """Constant, or linear to zero. Steps are counted, two per iteration, but iterations are the limit: as in the
    original the rate is zero for the second half of a run."""
    if not config.lr_decay:
        return tf.constant(config.lr, tf.float32)
    done = tf.cast(tf.minimum(global_step, max_iterations), tf.float32) / float(max_iterations)
    return config.lr * (1.0 - done)


def draw_noise(config: Config, state, name: str, iteration) -> Noise:
    """The noise of a step (`name` is discriminator or generator) whose memory is `state`."""
    latent = draw_latent(config, randomness.key(config.seed, f"{name}/latent", iteration))
    return Noise(latent, draw_slots(config, state, randomness.key(config.seed, f"{name}/slots", iteration)))


def draw_latent(config: Config, key, count: int | None = None) -> tf.Tensor:
    return tf.random.stateless_uniform([count or config.batch_size, config.z_dim], key, -1.0, 1.0)


def draw_slots(config: Config, state, key, count: int | None = None) -> tf.Tensor:
    count = count or config.batch_size
    if not config.samples_slots:
        return tf.zeros([count], tf.int32)
    return memory.sample_slots(state, tf.random.stateless_uniform([count], key))


def make_steps(config: Config, model: Model, max_iterations: int, jit: bool = False) -> Steps:
    """The steps of a run of `max_iterations` iterations, which only the learning rate's decay asks for.

    Args:
      jit: compile each step with XLA.
    """
    networks, holder, optimizers = model

    def current_state():
        return holder.state() if holder else None

    def make_step(optimizer, network, forward):
        """One step of Adam on the cost of a pass, and everything the pass changes, in the original's order."""

        def descend(images, noise):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([variable.value for variable in network.trainable_variables])
                result = forward(config, networks, current_state(), images, noise.latent, noise.slots)
                total = optimizer.scale_loss(result.costs.total(config))
            variables = network.trainable_variables
            optimizer.apply(tape.gradient(total, variables), variables)
            if result.updates:
                holder.assign(result.updates["fake"].state)
            slim.update_moving_averages(networks.generator.parts(), result.generator_moments)
            for moments in result.discriminator_moments:
                slim.update_moving_averages(networks.discriminator.parts(), moments)
            return result

        descend = device.compiled(descend, jit)

        def step(images, noise: Noise):
            # Outside of what XLA compiles: TensorFlow keeps int32 variables in the host's memory.
            optimizer.learning_rate.assign(learning_rate(config, optimizers.global_step, max_iterations))
            result = descend(images, noise)
            optimizers.global_step.assign_add(1)
            return result

        return step

    discriminator_step = make_step(optimizers.discriminator, networks.discriminator, losses.discriminator_pass)
    generator_step = make_step(optimizers.generator, networks.generator, losses.generator_pass)

    def augmented(images, name, iteration):
        augmentation = draw_augmentation(config.seed, name, iteration) if config.use_augmentation else Augmentation()
        return preprocess(config.data, images, augmentation)

    def iteration(images, number):
        on_both = discriminator_step(augmented(images, "discriminator", number),
                                     draw_noise(config, current_state(), "discriminator", number)).costs
        on_fake = generator_step(augmented(images, "generator", number),
                                 draw_noise(config, current_state(), "generator", number)).costs
        quantities = {"d_real": on_both.real.probability, "d_fake": on_both.fake.probability,
                      "d_loss": on_both.total(config), "g_loss": on_fake.total(config)}
        if holder:
            quantities["mem_real_rate"] = tf.reduce_mean(current_state().values)
        return {name: tf.cast(value, tf.float32) for name, value in quantities.items()}

    data = config.data
    batch = [config.batch_size, data.side, data.side, data.channels]

    @tf.function(input_signature=[tf.TensorSpec([None, *batch], tf.uint8), tf.TensorSpec([], tf.int32)])
    def iterate(images, first):
        count = tf.shape(images)[0]
        history = {name: tf.TensorArray(tf.float32, count) for name in reported_quantities(config)}
        for k in tf.range(count):
            values = iteration(images[k], first + k)
            history = {name: array.write(k, values[name]) for name, array in history.items()}
        return {name: array.stack() for name, array in history.items()}

    @tf.function(input_signature=[tf.TensorSpec(batch, tf.uint8), tf.TensorSpec([], tf.int32)])
    def summarise(images, number):
        noise = draw_noise(config, current_state(), "summary", number)
        result = losses.discriminator_pass(config, networks, current_state(), augmented(images, "summary", number),
                                           noise.latent, noise.slots)
        if holder:
            holder.assign(result.updates["fake"].state)

    return Steps(discriminator_step, generator_step, iterate, summarise)


def reported_quantities(config: Config) -> list[str]:
    """Names of what an iteration reports: the original's summaries."""
    return ["d_real", "d_fake", "d_loss", "g_loss"] + (["mem_real_rate"] if config.has_memory else [])
