"""Networks: the variables of the TF1 programs, independent groups in one batch, and copies that are copies."""

import numpy as np
import pytest
import tensorflow as tf

from lib.mergan import networks
from lib.mergan.config import DATASETS, NOISE, Config
from lib.mergan.step import build_optimizers


@pytest.fixture(scope="module")
def mnist():
    return networks.build_networks(DATASETS["mnist"])


# The number of variables in the original's checkpoints.
@pytest.mark.parametrize("dataset, replay, count", [
    ("mnist", True, 50), ("mnist", False, 30), pytest.param("svhn", True, 50, marks=pytest.mark.full),
    pytest.param("lsun", True, 162, marks=pytest.mark.full)])
def test_number_of_tf1_variables(dataset, replay, count):
    assert len(networks.tf1_variables(networks.build_networks(DATASETS[dataset], replay=replay))) == count


@pytest.mark.parametrize("name, shape", [
    ("Discriminator.1/Discriminator.1.Filters", (5, 5, 1, 32)),
    ("Discriminator.ACGANOutput/Discriminator.ACGANOutput.W", (2048, 10)),
    ("New.Generator.5/New.Generator.5.Filters", (5, 5, 1, 32)),
    ("Old.Generator.BN2.moving_variance", (10, 64)),
    ("New.Generator.Input/New.Generator.Input.b", (2048,)),
])
def test_tf1_names_and_shapes(mnist, name, shape):
    assert tuple(networks.tf1_variables(mnist)[name].shape) == shape


def test_every_variable_has_a_name_and_one_optimiser_at_most(mnist):
    named = {id(variable) for variable in networks.tf1_variables(mnist).values()}
    owned = [id(variable) for network in mnist[:3] for variable in network.variables]
    assert named == set(owned) and len(owned) == len(set(owned))
    optimizers = build_optimizers(Config("mnist", 1), mnist)
    trained = [id(variable) for optimizer in optimizers[:2]
               for variable in optimizer._trainable_variables]
    assert len(trained) == len(set(trained))
    assert set(trained) == {id(v) for model in (mnist.generator, mnist.critic) for v in model.trainable_variables}


@pytest.mark.parametrize("dataset", ["mnist", pytest.param("lsun", marks=pytest.mark.full)])
def test_groups_are_batches_of_their_own(dataset):
    generator = networks.build_generator(DATASETS[dataset], dtype="float64")
    noise = tf.random.stateless_normal([6, NOISE], [1, 2], dtype=tf.float64)
    labels = tf.constant([0, 0, 0, 3, 3, 3])
    together = generator(noise, labels, groups=2)
    apart = tf.concat([generator(noise[:3], labels[:3]), generator(noise[3:], labels[3:])], axis=0)
    np.testing.assert_allclose(together, apart, atol=1e-12)
    assert np.abs(together - generator(noise, labels)).max() > 1e-3


def test_outputs_depend_on_the_rest_of_the_batch_at_test_time_too(mnist):
    noise = tf.random.stateless_normal([8, NOISE], [3, 4])
    whole = mnist.generator(noise, tf.zeros([8], tf.int32))
    part = mnist.generator(noise[:4], tf.zeros([4], tf.int32))
    assert np.abs(whole[:4] - part).max() > 1e-3


def test_generators_start_apart_and_become_equal_by_the_copy():
    built = networks.build_networks(DATASETS["mnist"])
    kernels = [model.input_linear.kernel.numpy() for model in (built.generator, built.replay)]
    assert not np.array_equal(*kernels)
    networks.copy_weights(built.generator, built.replay)
    for ours, theirs in zip(built.generator.variables, built.replay.variables):
        assert np.array_equal(ours, theirs)


def test_same_seed_same_weights_and_every_layer_its_own():
    first, second, other = (networks.build_generator(DATASETS["mnist"], seed=seed) for seed in (5, 5, 6))
    for a, b in zip(first.variables, second.variables):
        assert np.array_equal(a, b)
    assert not np.array_equal(first.conv2.kernel, other.conv2.kernel)
    assert not np.array_equal(np.ravel(first.conv2.kernel)[:50], np.ravel(first.conv3.kernel)[:50])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_weights_images_and_heads_in_float32(policy):
    built = networks.build_networks(DATASETS["mnist"], replay=False, dtype=policy)
    image = built.generator(tf.zeros([2, NOISE]), tf.zeros([2], tf.int32))
    judged = built.critic(image)
    assert {tensor.dtype for tensor in (image, *judged)} == {tf.float32}
    assert {variable.dtype for variable in built.generator.variables} == {"float32"}
    assert built.generator.conv2.compute_dtype == policy.removeprefix("mixed_")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_leaky_relu_has_its_slopes_and_no_second_derivative(dtype):
    x = tf.constant([-2.0, -1.0, 0.0, 3.0], dtype)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = networks._leaky_relu(x)
        slopes = inner.gradient(y, x)
        total = tf.reduce_sum(slopes)
    np.testing.assert_allclose(tf.cast(y, tf.float32), [-0.4, -0.2, 0.0, 3.0], rtol=1e-2)
    np.testing.assert_allclose(tf.cast(slopes, tf.float32), [0.2, 0.2, 0.2, 1.0], rtol=1e-2)
    # None, not zeros, which would be carried back through every layer below.
    assert outer.gradient(total, x) is None
