"""Bodies: shapes, dtypes, names, and what batch norm remembers."""

import numpy as np
import pytest
import tensorflow as tf

from lvae import networks
from lvae.config import Architecture, Config
from lvae.networks import Latents

DENSE = Architecture("dense", (5, 6, 1), "logistic", (16, 12), (10, 14))
CNN = Architecture("cnn", (32, 32, 3), "bernoulli")


@pytest.mark.parametrize("shape, encoded, decoded", [(DENSE, (7, 10), (7, 60)), (CNN, (7, 10), (7, 32, 32, 3))])
def test_shapes(shape, encoded, decoded):
    vae = networks.build_vae(Config("x", shape), Latents(4, 2))
    assert vae.encoder(tf.zeros([7, *shape.input_shape])).shape == encoded
    assert vae.decoder(tf.zeros([7, vae.latents.size])).shape == decoded


def test_heads_leave_in_float32_under_mixed_precision():
    body = networks.dense_body(8, (4,), 3, "batch", name="body", dtype="mixed_bfloat16")
    assert body(tf.zeros([2, 8])).dtype == tf.float32


def test_equal_seeds_and_names_give_equal_weights():
    bodies = [networks.dense_body(8, (4,), 3, name=name, seed=seed) for name, seed in (("a", 1), ("a", 1), ("b", 1),
                                                                                     ("a", 2))]
    kernels = [body.affine[0].kernel.numpy() for body in bodies]
    assert (kernels[0] == kernels[1]).all()
    assert (kernels[0] != kernels[2]).any() and (kernels[0] != kernels[3]).any()


def test_batch_norm_remembers_in_training_only():
    body = networks.dense_body(8, (4,), 3, "batch", name="body")
    moving = body.norms[0].moving_variance
    inputs = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
    body(inputs)
    assert (moving.numpy() == 1.0).all()
    body(inputs, training=True)
    unbiased = (inputs @ body.affine[0].kernel.numpy()).var(axis=0, ddof=1)
    np.testing.assert_allclose(moving, 1.0 + 0.001 * (unbiased - 1.0), rtol=1e-5)


def test_every_variable_has_a_tf1_name():
    for shape in (DENSE, CNN):
        for options in ({}, {"use_bn": True}, {"use_ln": True}):
            vae = networks.build_vae(Config("x", shape, **options), Latents(2, 1))
            names = networks.tf1_variables(vae, "P", ("encoder", "decoder"))
            assert {id(variable) for variable in names.values()} == {id(variable) for variable in vae.variables}


def test_model_name_keeps_the_first_models_settings():
    config = Config("x", CNN, latent_size=20, sequential=True)
    assert networks.model_name(config, Latents(20, 1), 3) == (
        "vae3_elu_enc4_5x5xn_s2_fc41_deccifar_decoder_learningrate0.001_latentsize20_discsize1_mutintoreg0.0")
