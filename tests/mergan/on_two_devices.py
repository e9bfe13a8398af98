"""Run by test_strategy.py in processes of their own, for devices are set up once: two logical CPU devices or workers.

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
from lib.mergan.networks import build_networks
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.mergan.step import build_optimizers, make_steps
from lib.run import options as settings

TASK = 2
CONFIG = Config("mnist", 1, replay_alignment=True, joint_replay=True, alignment_factor=1e-2, batch_size=8)


class Painter(keras.Model):
    """Stands for the generator, without its batch statistics: there shares and the whole agree exactly."""

    def __init__(self, seed):
        super().__init__()
        self.dense = keras.layers.Dense(1024, kernel_initializer=keras.initializers.RandomNormal(seed=seed))
        self.dense.build((None, NOISE + LABELS))

    def call(self, noise, labels, groups=1):
        inputs = tf.concat([noise, tf.one_hot(labels, LABELS)], axis=1)
        return tf.reshape(tf.tanh(self.dense(inputs)), [-1, 32, 32, 1])


def build():
    networks = build_networks(CONFIG.data)._replace(generator=Painter(1), replay=Painter(2))
    return networks, build_optimizers(CONFIG, networks)


def gradients(optimizer) -> list[np.ndarray]:
    """Of the last step: beta_1 is 0, so Adam's first moment is the gradient."""
    return [np.asarray(moment) for moment in optimizer._momentums]


def take_steps(strategy, networks, optimizers):
    """Two critic steps and a generator step; the reports and the gradients."""
    steps = make_steps(CONFIG, networks, optimizers, TASK, strategy=strategy)
    critic, generator = tf.function(steps.critic), tf.function(steps.generator)
    images = tf.random.stateless_uniform([2, 8, 32, 32, 1], [1, 2], -1.0, 1.0)
    labels = tf.range(8)  # not all of one class, as in training, so that shares of labels matter
    reports = [critic(images[k], labels, draw_critic_noise(CONFIG, TASK, 1, k)._replace(fake_labels=labels))
               for k in range(2)]
    of_critic = gradients(optimizers.critic)
    reports.append(generator(draw_generator_noise(CONFIG, TASK, 1)._replace(fake_labels=labels)))
    return tf.nest.flatten(reports), of_critic, gradients(optimizers.generator)


def compare_steps(strategy) -> None:
    """Costs and gradients of both replicas together are those of one device, and their weights stay the same."""
    plain = take_steps(None, *build())
    with strategy.scope():
        built = build()
    shared = take_steps(strategy, *built)
    for one, two in zip(plain, shared, strict=True):
        for a, b in zip(one, two, strict=True):
            scale = np.abs(a).max()
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-4 * scale)
    assert any(np.abs(a).max() > 1e-4 for a in plain[1]) and any(np.abs(a).max() > 1e-4 for a in plain[2])
    for network in (built[0].critic, built[0].generator):
        for variable in network.variables:
            first, second = strategy.experimental_local_results(variable.value)
            np.testing.assert_array_equal(first, second)


def main(arguments) -> None:
    if arguments[-1] != "multi_worker":
        cpu, = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    if arguments[0] == "steps":
        compare_steps(device.strategy("mirrored"))
    else:
        _, directory, strategy = arguments
        config = Config("digits", 16, first_tasks=1, batch_size=8, critic_steps=1)
        train.run(config, directory, data_dir="", options=settings.Options(strategy=strategy))


if __name__ == "__main__":
    errors.run(main)
