"""Run by tests in processes of their own, for devices are set up once: two logical CPU devices or workers.

    python -m tests.mergan.on_two_devices steps
    python -m tests.mergan.on_two_devices train DIRECTORY mirrored
    python -m lib.workers 2 -m tests.mergan.on_two_devices train DIRECTORY multi_worker
"""

import keras
import numpy as np
import tensorflow as tf

from lib import device, errors
from lib.mergan import train
from lib.mergan.config import LABELS, NOISE, Config
from lib.mergan.methods import build_methods
from lib.mergan.networks import build_networks
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps
from lib.run import options as settings
from lib.run import replicas
from tests.several_devices import assert_close, assert_equal_on_all, split_cpu

TASK = 2
CONFIG = Config("mnist", 1, replay_alignment=True, joint_replay=True, alignment_factor=1e-2, batch_size=8)
EWC = Config("mnist", 1, consolidation=True, fisher_samples=3, batch_size=8)
DGR = Config("mnist", 1, generative_replay=True, batch_size=8, critic_steps=1)


class Painter(keras.Model):
    """Stands for the generator, without its batch statistics: there shares and the whole agree exactly."""

    def __init__(self, seed):
        super().__init__()
        self.dense = keras.layers.Dense(1024, kernel_initializer=keras.initializers.RandomNormal(seed=seed))
        self.dense.build((None, NOISE + LABELS))

    def call(self, noise, labels, groups=1):
        inputs = tf.concat([noise, tf.one_hot(labels, LABELS)], axis=1)
        return tf.reshape(tf.tanh(self.dense(inputs)), [-1, 32, 32, 1])


def build(config, strategy=None):
    """With what the methods remember of the task before."""
    with replicas.scope(strategy):
        networks = build_networks(config.data, solver=config.generative_replay)._replace(generator=Painter(1),
                                                                                         replay=Painter(2))
        built = networks, build_optimizers(config, networks), build_methods(config, networks)
    for method in built[2]:
        method.remember(TASK - 1)
    return built


def gradients(optimizer) -> list[np.ndarray]:
    """Of the last step: beta_1 is 0, so Adam's first moment is the gradient."""
    return [np.asarray(moment) for moment in optimizer._momentums]


def take_steps(config, strategy, networks, optimizers, methods):
    """Two critic steps and a generator step; the reports and the gradients."""
    steps = make_steps(config, networks, optimizers, TASK, methods, strategy=strategy)
    critic, generator = tf.function(steps.critic), tf.function(steps.generator)
    images = tf.random.stateless_uniform([2, 8, 32, 32, 1], [1, 2], -1.0, 1.0)
    labels = tf.range(8)  # not all of one class, as in training, so that shares of labels matter
    reports = [critic(images[k], labels, draw_critic_noise(config, TASK, 1, k, methods)._replace(fake_labels=labels))
               for k in range(2)]
    of_critic = gradients(optimizers.critic)
    reports.append(generator(draw_generator_noise(config, TASK, 1, methods)._replace(fake_labels=labels)))
    return tf.nest.flatten(reports), of_critic, gradients(optimizers.generator)


def compare_steps(config, strategy, rounding=0.0) -> None:
    """Costs and gradients of both replicas together are those of one device, and their weights stay the same."""
    plain = take_steps(config, None, *build(config))
    built = build(config, strategy)
    shared = take_steps(config, strategy, *built)
    for one, two in zip(plain, shared, strict=True):
        assert_close(one, two, 1e-4, rounding=rounding)
    assert any(np.abs(a).max() > 1e-4 for a in plain[1]) and any(np.abs(a).max() > 1e-4 for a in plain[2])
    assert_equal_on_all(strategy, [*built[0].critic.variables, *built[0].generator.variables])


def compare_consolidation(strategy) -> None:
    """Both estimate the same Fisher information, whose penalty pulls."""
    (plain, *_), (shared, *_) = (build(EWC, used)[2] for used in (None, strategy))
    assert_close(plain.fisher, shared.fisher, 1e-5)
    assert all(np.asarray(values).max() > 0.0 for values in plain.fisher)
    compare_steps(EWC, strategy, rounding=1e-6)  # some costs are differences of nearly equal means


def compare_solvers(strategy) -> None:
    """An iteration's critic step, on the mixture, and the solver's step after it."""
    found = []
    for used in (None, strategy):
        networks, optimizers, methods = build(DGR, used)
        pixels = np.random.RandomState(0).randint(0, 256, (1, 1, 8, 32, 32, 1)).astype(np.uint8)
        steps = make_steps(DGR, networks, optimizers, TASK, methods, strategy=used)
        history = steps.iterate(pixels, np.full((1, 1, 8), TASK, np.int32), TASK, 0)
        found.append((list(history.values()), gradients(methods[0].optimizers[0]), gradients(optimizers.critic)))
    for one, two in zip(*found, strict=True):
        assert_close(one, two, 1e-4)
    assert any(np.abs(gradient).max() > 1e-4 for gradient in found[0][1])
    assert_equal_on_all(strategy, networks.solver.variables)


def main(arguments) -> None:
    split_cpu(arguments[-1])
    if arguments[0] == "steps":
        strategy = device.strategy("mirrored")
        compare_steps(CONFIG, strategy)
        compare_consolidation(strategy)
        compare_solvers(strategy)
    else:
        _, directory, strategy = arguments
        config = Config("digits", 8, first_tasks=2, batch_size=8, critic_steps=1, consolidation=True, fisher_samples=8)
        train.run(config, directory, data_dir="", options=settings.Options(strategy=strategy))


if __name__ == "__main__":
    errors.run(main)
