"""Networks beyond the golden figures: what the original cannot build, purity, and dtypes."""

import numpy as np
import pytest
import tensorflow as tf

from lib.ops import slim
from memorygan import networks
from tests.memorygan import tiny


def images_of(config, count=4):
    side, channels = config.data.side, config.data.channels
    return tf.random.stateless_uniform([count, side, side, channels], [1, 2])


@pytest.mark.parametrize("dataset", ["fashion", "affmnist", "cifar10", pytest.param("celeba", marks=pytest.mark.full)])
@pytest.mark.parametrize("model, discriminator, outputs", [
    ("MemoryGAN", "memory_d", 16), ("MemoryGAN", "base_d", 16), ("GAN", "base_d", 1), ("GAN", "memory_d", 1)])
def test_every_combination_has_the_right_outputs(dataset, model, discriminator, outputs):
    config = tiny.config(dataset, model=model, discriminator=discriminator)
    nets = networks.build_networks(config)
    assert nets.discriminator(images_of(config), training=True).values.shape == (4, outputs)
    made = nets.generator(tf.zeros([3, config.generator_inputs])).values
    assert made.shape == (3, config.data.side, config.data.side, config.data.channels)
    low = 0.0 if config.data.unit_range else -1.0
    assert tf.reduce_min(made) >= low and tf.reduce_max(made) <= 1.0


@pytest.mark.full
def test_64x64_networks_have_one_block_more_than_cifar10s():
    small, large = (networks.tf1_variables(networks.build_networks(tiny.config(name)))
                    for name in ("cifar10", "celeba"))
    # A block: three kernels, two biases, a batch norm of three variables, a layer norm of two; one per network.
    assert len(large) - len(small) == 2 * 10


def test_a_pass_in_training_changes_no_variable_and_returns_every_batch_norms_moments():
    for dataset in ("fashion", "cifar10"):
        config = tiny.config(dataset)
        model = networks.build_discriminator(config)
        before = [variable.numpy() for variable in model.variables]
        output = model(images_of(config), training=True)
        for variable, value in zip(model.variables, before):
            np.testing.assert_array_equal(variable, value)
        norms = [part.name for part in model.parts() if isinstance(part, slim.BatchNorm)]
        assert sorted(output.moments) == sorted(norms)
        assert model(images_of(config)).moments == {}


def test_moving_averages_move_by_a_thousandth_towards_the_unbiased_statistics():
    model = networks.build_discriminator(tiny.config())
    images = images_of(tiny.config(), 6)
    features = model.maps[1].affine(model.maps[0](images, training=True)[0]).numpy().reshape(-1, 8).astype(np.float64)
    slim.update_moving_averages(model.parts(), model(images, training=True).moments)
    norm = model.maps[1].norm
    np.testing.assert_allclose(norm.moving_mean, 0.001 * features.mean(axis=0), rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(norm.moving_variance, 0.999 + 0.001 * features.var(axis=0, ddof=1), rtol=1e-6)


def test_outside_training_an_image_is_judged_alone():
    config = tiny.config("cifar10")
    model = networks.build_discriminator(config)
    together = model(images_of(config)).values
    np.testing.assert_allclose(model(images_of(config)[:1]).values, together[:1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("dataset", ["fashion", pytest.param("cifar10", marks=pytest.mark.full)])
def test_half_precision_keeps_variables_and_outputs_in_float32(dataset):
    config = tiny.config(dataset)
    nets = networks.build_networks(tiny.config(dataset, precision="mixed_bfloat16"))
    plain = networks.build_networks(config)
    assert {variable.dtype for net in nets for variable in net.variables} == {"float32"}
    assert nets.discriminator.maps[0].compute_dtype == "bfloat16"
    assert nets.generator(tf.zeros([2, config.generator_inputs])).values.dtype == tf.float32
    half = nets.discriminator(images_of(config)).values
    assert half.dtype == tf.float32
    # The same initial weights. A query that was itself rounded to bfloat16 would keep all its digits on casting.
    full = plain.discriminator(images_of(config)).values
    assert tf.norm(half - full) < 0.05 * tf.norm(full)
    assert not np.array_equal(half, tf.cast(tf.cast(half, tf.bfloat16), tf.float32))


def test_two_seeds_and_two_networks_start_differently():
    first, second = (networks.build_generator(tiny.config(seed=seed)) for seed in (0, 1))
    assert not np.array_equal(first.maps[0].affine.kernel, second.maps[0].affine.kernel)
    again = networks.build_generator(tiny.config(seed=0))
    np.testing.assert_array_equal(first.maps[0].affine.kernel, again.maps[0].affine.kernel)
