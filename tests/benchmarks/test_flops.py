"""The counted operations against counts by hand."""

import keras
import tensorflow as tf

from benchmarks import flops, mergan
from benchmarks.flops import Network
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import build_networks

# Multiply-adds of MeRGAN's MNIST networks per sample: kernel times places.
GENERATOR = [128 * 2048, 25 * 128 * 64 * 4**2, 25 * 64 * 32 * 8**2, 25 * 32 * 1 * 16**2]
CRITIC = [25 * 1 * 32 * 16**2, 25 * 32 * 64 * 8**2, 25 * 64 * 128 * 4**2]
SCORE, CLASSES = 2048, 2048 * 10


def test_the_layers_of_the_mnist_networks():
    networks = build_networks(Config("mnist", 1).data)
    generator = flops.network(networks.generator, tf.zeros([1, NOISE]), tf.zeros([1], tf.int32))
    critic = flops.network(networks.critic, tf.zeros([1, 32, 32, 1]))
    assert list(generator.layers.values()) == GENERATOR
    assert list(critic.layers.values()) == [*CRITIC, SCORE, CLASSES]


def test_layers_of_other_padding_and_stride():
    layer = keras.layers.Conv2D(6, 4, 2)  # valid: sides 28 -> 13, as in the Lifelong VAE
    layer.build((None, 28, 28, 3))
    assert flops.multiply_adds(layer, (1, 28, 28, 3), layer.compute_output_shape((1, 28, 28, 3))) == 48 * 6 * 13**2
    transposed = keras.layers.Conv2DTranspose(6, 4, 2)
    transposed.build((None, 10, 10, 3))
    assert flops.multiply_adds(transposed, (1, 10, 10, 3), (1, 22, 22, 6)) == 48 * 6 * 10**2


def test_training_and_penalty_of_a_chain():
    """Layers a, b, c: every product of the chain rule, written out."""
    a, b, c = 100, 10, 1
    chain = Network({"a": a, "b": b, "c": c})
    assert chain.trained == (a + b + c) + (a + b + c) + (b + c)
    slopes = (a + b + c) + (c + b + a)
    assert flops.penalty(chain, normalised=False) == slopes + (a + b + c) + (a + b)
    assert flops.penalty(chain, normalised=True) == slopes + (a + b + c) + (a + b) + (a + b + c) + (b + c)


def test_the_steps_of_mnist():
    """SFT's critic and generator, and what replay alignment adds after nine classes of seven samples."""
    convolutions, generator = sum(CRITIC), sum(GENERATOR)
    critic = convolutions + SCORE + CLASSES
    trained = 3 * critic - CRITIC[0]
    penalty = 4 * (convolutions + SCORE) - SCORE
    learning = 3 * generator - GENERATOR[0]
    config = Config("mnist", 1, replay_alignment=True)
    networks = build_networks(config.data)
    of_critic, of_generator = mergan.operations(config, networks, 0)
    assert of_critic == 2 * 64 * (generator + 2 * trained + penalty)
    assert of_generator == 2 * 64 * (learning + 2 * critic)
    with_replay = mergan.operations(config, networks, 9)
    assert with_replay == (of_critic, of_generator + 2 * 63 * (generator + learning))
