"""The hand-written critic step computes what the project's does."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import yardstick
from lib.mergan.config import Config
from lib.mergan.networks import build_networks
from lib.mergan.noise import draw_critic_noise
from lib.mergan.step import build_optimizers, make_steps

# The project's dense layers count channels first, the yardstick's places.
PLACES_FIRST = np.arange(2048).reshape(128, 16).T.ravel()


def weights(networks) -> tuple[list, list]:
    """The networks' weights in the yardstick's order."""
    generator, critic = networks.generator, networks.critic
    ours = [generator.input_linear.kernel.numpy()[:, PLACES_FIRST], generator.input_linear.bias.numpy()[PLACES_FIRST]]
    for norm, conv in ((generator.norm1, generator.conv2), (generator.norm2, generator.conv3),
                       (generator.norm3, generator.conv5)):
        ours += [norm.offset, norm.scale, conv.kernel, conv.bias]
    theirs = [value for conv in (critic.conv1, critic.conv2, critic.conv3) for value in (conv.kernel, conv.bias)]
    for head in (critic.score, critic.logits):
        theirs += [head.kernel.numpy()[PLACES_FIRST], head.bias]
    return ([tf.Variable(np.asarray(value)) for value in ours], [tf.Variable(np.asarray(value)) for value in theirs])


@pytest.mark.full
def test_three_steps_agree_with_the_projects():
    config = Config("mnist", 1, batch_size=8)
    networks = build_networks(config.data)
    generator, critic = weights(networks)
    assert [value.shape for value in generator] == [value.shape for value in yardstick.generator_weights()]
    assert [value.shape for value in critic] == [value.shape for value in yardstick.critic_weights()]
    by_hand = yardstick.make_step(generator=generator, critic=critic)
    steps = make_steps(config, networks, build_optimizers(config, networks), 0)
    images = tf.random.stateless_uniform([8, 32, 32, 1], [1, 2], -1.0, 1.0)
    labels = tf.range(8)
    costs = []
    for number in range(3):
        noise = draw_critic_noise(config, 0, 1, number)._replace(fake_labels=labels)
        costs.append((float(by_hand(images, labels, noise.latent, noise.alpha)),
                      float(steps.critic(images, labels, noise).costs.total(config))))
    np.testing.assert_allclose(*np.transpose(costs), rtol=1e-4)
    assert costs[0][0] > costs[2][0]
