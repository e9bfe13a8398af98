"""Run by tests in processes of their own: two logical CPU devices or workers.

    python -m tests.memorygan.on_two_devices steps
    python -m tests.memorygan.on_two_devices train DIRECTORY mirrored
    python -m lib.workers 2 -m tests.memorygan.on_two_devices train DIRECTORY multi_worker

DIRECTORY/dataset/fashion holds the images.
"""

import os

import keras
import numpy as np
import tensorflow as tf

from lib import device, errors
from lib.run import replicas
from lib.run.options import Options
from memorygan import memory, train
from memorygan.config import Command
from memorygan.memory import MemoryState
from memorygan.networks import Networks, Output
from memorygan.noise import draw_noise
from memorygan.step import Model, build_model, build_optimizers, make_steps
from tests.memorygan import tiny
from tests.several_devices import assert_close, assert_equal_on_all, split_cpu

CONFIG = tiny.config(lamb=1.0, em_iterations=2)
SIDE = CONFIG.data.side


class Scaling(keras.Model):
    """Stands for a network: every output is an input times a weight, the same bits whatever the batch."""

    def __init__(self, inputs: int, shape: tuple[int, ...], seed: int):
        super().__init__()
        self.chosen = np.random.RandomState(seed).randint(0, inputs, np.prod(shape))
        self.shape = shape
        self.scale = self.add_weight(shape=(len(self.chosen),), initializer=keras.initializers.RandomNormal(seed=seed))
        self.built = True

    def parts(self) -> list:
        return []

    def call(self, x, training=False):
        chosen = tf.gather(tf.reshape(x, [x.shape[0], -1]), self.chosen, axis=1)
        return Output(tf.reshape(chosen * self.scale.value, [-1, *self.shape]), {})


def build() -> Model:
    """Without batch norms, whose statistics are those of a replica's share; its memory has seen something."""
    networks = Networks(Scaling(CONFIG.generator_inputs, (SIDE, SIDE, 1), 1), Scaling(SIDE**2, (CONFIG.key_dim,), 2))
    model = Model(networks, memory.Memory(CONFIG.mem_size, CONFIG.key_dim), build_optimizers(CONFIG, networks))
    random, first = np.random.RandomState(3), memory.initial_state(CONFIG.mem_size, CONFIG.key_dim)
    keys = tf.constant(random.standard_normal((CONFIG.mem_size, CONFIG.key_dim)), tf.float32)
    model.memory.assign(MemoryState(memory.normalise(keys), first.values, tf.range(CONFIG.mem_size, dtype=tf.float32),
                                    tf.constant(random.rand(CONFIG.mem_size), tf.float32)))
    return model


def images(config, count: int) -> tf.Tensor:
    return tf.constant(np.random.RandomState(0).randint(0, 256, (count, config.batch_size, SIDE, SIDE, 1)), tf.uint8)


def all_variables(model: Model) -> list:
    networks, holder, optimizers = model
    return [variable for part in (*networks, holder, *optimizers[:2]) for variable in part.variables
            ] + [optimizers.global_step]


def costs_of(strategy, step, *inputs):
    return tf.nest.flatten(device.graph(replicas.run_on_all(strategy, lambda *own: step(*own).costs))(*inputs))


def compare_steps(strategy) -> None:
    """Costs and gradients are those of one device; the memory learns the very same of the very same queries."""
    plain = build()
    with replicas.scope(strategy):
        shared = build()
    batch = tf.cast(images(CONFIG, 1)[0], tf.float32) / 255.0
    noises = [draw_noise(CONFIG, plain.memory_state(), name, 0) for name in ("discriminator", "generator")]
    before = plain.memory.state().keys.numpy()
    steps, shared_steps = make_steps(CONFIG, plain, 10), make_steps(CONFIG, shared, 10, strategy=strategy)

    assert_close(costs_of(None, steps.discriminator, batch, noises[0]),
                 costs_of(strategy, shared_steps.discriminator, batch, noises[0]), 1e-5, "discriminator's costs")
    for ours, theirs in zip(plain.memory.slots, shared.memory.slots, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.name)
    assert (before != plain.memory.state().keys.numpy()).any()
    assert_close(costs_of(None, steps.generator, batch, noises[1]),
                 costs_of(strategy, shared_steps.generator, batch, noises[1]), 1e-4, "generator's costs")
    # Adam's moments hold the gradients.
    for ours, theirs in zip(plain.optimizers[:2], shared.optimizers[:2], strict=True):
        assert_close(ours.variables, theirs.variables, 1e-4, "Adam")
        assert any(np.abs(np.asarray(moment)).max() > 1e-5 for moment in ours.variables[2:])
    assert_equal_on_all(strategy, all_variables(shared))


def compare_averages(strategy) -> None:
    """Batch norms' averages stay equal on all replicas, and so does everything else."""
    config = tiny.config(lr_decay=True)
    plain = build_model(config)
    with replicas.scope(strategy):
        shared = build_model(config)
    noise = draw_noise(config, plain.memory_state(), "discriminator", 0)
    averages = []
    for model, used in ((plain, None), (shared, strategy)):
        steps = make_steps(config, model, 10, strategy=used)
        costs_of(used, steps.discriminator, tf.cast(images(config, 1)[0], tf.float32) / 255.0, noise)
        norm = next(part for part in model.networks.discriminator.parts() if hasattr(part, "moving_mean"))
        averages.append(norm.moving_mean.numpy())
    # The first norm's mean over real images is the shares' mean; generated ones differ, as batch norm made them.
    assert_close(averages[:1], averages[1:], 5e-3)
    steps.iterate(images(config, 2), 0)
    assert_equal_on_all(strategy, all_variables(shared))
    assert int(shared.optimizers.global_step.numpy()) == 1 + 4


def main(arguments) -> None:
    split_cpu(arguments[-1])
    if arguments[0] == "steps":
        strategy = device.strategy("mirrored")
        compare_steps(strategy)
        compare_averages(strategy)
    else:
        _, directory, strategy = arguments
        os.chdir(directory)
        train.run(tiny.config(epoch=4), Command(), Options(strategy=strategy))


if __name__ == "__main__":
    errors.run(main)
