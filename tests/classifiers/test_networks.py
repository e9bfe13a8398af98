"""The classifiers against the original's variable list and against the same sums written out in float64 NumPy."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib.classifiers import networks
from lib.errors import UserError

FIGURES = Path(__file__).parents[1] / "golden" / "figures"
RECORDED = json.loads((FIGURES / "mergan_classifiers.json").read_text())["variables"]


def weights(model) -> dict[str, np.ndarray]:
    return {name: variable.numpy().astype(np.float64) for name, variable in networks.tf1_names(model).items()}


def randomise(model) -> None:
    """Weights large enough for every layer to matter."""
    generator = np.random.default_rng(1)
    for variable in model.variables:
        scale = np.sqrt(2.0 / np.prod(variable.shape[:-1])) if len(variable.shape) > 1 else 0.5
        variable.assign(scale * generator.standard_normal(variable.shape))


@pytest.mark.parametrize("dataset", ["mnist", "svhn", "lsun"])
def test_variables_are_the_originals(dataset):
    model = networks.build_classifier(dataset)
    names = networks.tf1_names(model)
    recorded = {name: tuple(record["shape"]) for name, record in RECORDED[f"classifier_{dataset}"].items()}
    assert {name: tuple(variable.shape) for name, variable in names.items()} == recorded
    assert len(model.trainable_variables) == len(recorded)


def test_digits_share_the_network_of_mnist():
    assert networks.tf1_names(networks.build_classifier("digits")).keys() == RECORDED["classifier_mnist"].keys()


def test_initial_values_are_normals_cut_at_two_deviations():
    values = weights(networks.build_classifier("mnist", seed=4))
    kernel = values["fc1/fc1_weights"]
    # A normal cut at two deviations has 0.8796 of the deviation left.
    assert kernel.std() == pytest.approx(0.8796e-3, rel=5e-3)
    assert abs(kernel).max() <= 2.001e-3 and abs(kernel).max() > 1.99e-3
    assert all(0 < abs(value).max() <= 2.001e-3 for value in values.values())
    again, other = (weights(networks.build_classifier("mnist", seed=seed)) for seed in (4, 5))
    assert all(np.array_equal(values[name], again[name]) for name in values)
    assert not any(np.array_equal(values[name], other[name]) for name in values)


def test_mnist_network_is_five_dense_layers():
    model = networks.build_classifier("mnist", dtype="float64")
    randomise(model)
    images = np.random.default_rng(2).integers(0, 257, [3, 32, 32, 1]).astype(np.float64)
    w = weights(model)
    x = images.reshape(3, 1024)
    for layer in ("fc1", "fc2", "fc3", "fc4"):
        x = np.maximum(x @ w[f"{layer}/{layer}_weights"] + w[f"{layer}/{layer}_biases"], 0)
    np.testing.assert_allclose(model.features(tf.constant(images)), x, rtol=1e-9)
    np.testing.assert_allclose(model(tf.constant(images)), x @ w["fc5/fc5_weights"] + w["fc5/fc5_biases"], rtol=1e-9)


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(padded[:, dy:dy + height, dx:dx + width] @ kernel[dy, dx] for dy in range(3) for dx in range(3))


def test_svhn_network_is_a_small_vgg_on_centred_bgr():
    model = networks.build_classifier("svhn", dtype="float64")
    randomise(model)
    images = np.random.default_rng(3).integers(0, 257, [2, 32, 32, 3]).astype(np.float64)
    w = weights(model)
    x = images[..., ::-1] - [103.939, 116.779, 123.68]
    for block, count in ((1, 2), (2, 2), (3, 3)):
        for number in range(1, count + 1):
            name = f"svhn_conv{block}_{number}"
            x = np.maximum(convolve(x, w[f"{name}/{name}_filters"]) + w[f"{name}/{name}_biases"], 0)
        x = x.reshape(2, x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max(axis=(2, 4))
    x = x.reshape(2, -1)
    for name in ("svhn_fc5_lsun10", "svhn_fc6_lsun10"):
        x = np.maximum(x @ w[f"{name}/{name}_weights"] + w[f"{name}/{name}_biases"], 0)
    np.testing.assert_allclose(model.features(tf.constant(images)), x, rtol=1e-9)
    head = "svhn_fc7_lsun10/svhn_fc7_lsun10"
    np.testing.assert_allclose(model(tf.constant(images)), x @ w[f"{head}_weights"] + w[f"{head}_biases"], rtol=1e-9)


def test_dropout_acts_on_the_first_dense_layer_only_with_a_key():
    model = networks.build_classifier("mnist")
    randomise(model)
    images = tf.random.stateless_uniform([4, 32, 32, 1], [1, 2], 0, 256)
    plain, dropped, again, other = (model(images, dropout_key=key) for key in (None, [1, 2], [1, 2], [1, 3]))
    assert np.array_equal(dropped, again)
    assert not np.allclose(plain, dropped, rtol=1e-2) and not np.allclose(other, dropped, rtol=1e-2)


def test_half_precision_leaves_in_float32():
    full, half = networks.build_classifier("svhn"), networks.build_classifier("svhn", dtype="mixed_bfloat16")
    randomise(full)
    for ours, theirs in zip(half.variables, full.variables):
        ours.assign(theirs)
    images = tf.random.stateless_uniform([4, 32, 32, 3], [1, 2], 0, 257, tf.int32)
    images = tf.cast(images, tf.float32)
    assert half(images).dtype == tf.float32 and half.features(images).dtype == tf.float32
    difference = np.linalg.norm(half(images) - full(images)) / np.linalg.norm(full(images))
    assert 0 < difference < 0.05


def test_unknown_data_set():
    with pytest.raises(UserError, match="celeba.*mnist"):
        networks.build_classifier("celeba")
