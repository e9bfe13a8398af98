"""Training: the moved images, the equivalence claimed for the first kernel, and that networks learn real digits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib.classifiers import training
from lib.classifiers.features import predict
from lib.classifiers.networks import build_classifier
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import Recipe
from lib.data import sources
from lib.errors import UserError


@pytest.mark.parametrize("dtype, black", [(np.uint8, 0), (np.float32, -1.0)])
def test_shifted_images_are_moved_not_changed(dtype, black):
    original = np.arange(1, 26).reshape(1, 5, 5, 1).astype(dtype)
    seen = set()
    for image in training.shifted(np.repeat(original, 300, axis=0), 2, np.random.default_rng(0)):
        fits = []
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                moved = np.full_like(original[0], black)
                moved[max(dy, 0):5 + min(dy, 0), max(dx, 0):5 + min(dx, 0)] = \
                    original[0, max(-dy, 0):5 - max(dy, 0), max(-dx, 0):5 - max(dx, 0)]
                if np.array_equal(image, moved):
                    fits.append((dy, dx))
        assert len(fits) == 1
        seen.update(fits)
    assert len(seen) == 25


def test_initial_weights_keep_the_signal():
    model = build_classifier("mnist")
    training.initialise(model, seed=0)
    activations = model.features(tf.random.stateless_uniform([64, 32, 32, 1], [0, 1], 0, 256))
    # Pixels count as 0..1, whose mean square is 1/3; He's kernels carry it to the last hidden layer.
    assert 0.1 < float(tf.reduce_mean(tf.square(activations))) / 2 * 3 < 2.0


@pytest.mark.full
def test_first_kernel_trains_as_if_pixels_were_in_0_to_1():
    digits = sources.load("digits", "train")
    images, labels = digits.images[:192], digits.labels[:192]
    recipe = Recipe(epochs=2, batch_size=192, learning_rate=1e-3)
    model = build_classifier("digits")
    training.train(model, RealImages(images, labels), recipe, seed=3)

    # The same network as plain Keras layers on scaled pixels, at one rate. Whole batches need no order. The epsilon
    # beside the root is the only part of Adam that knows the size of a gradient.
    reference = build_classifier("digits")
    training.initialise(reference, seed=3)
    layers = [keras.layers.Dense(layer.units, "relu" if layer is not reference.head else None)
              for layer in reference.parts()]
    plain = keras.Sequential([keras.layers.Flatten(), *layers])
    plain.build([None, 32, 32, 1])
    for index, (layer, theirs) in enumerate(zip(layers, reference.parts())):
        layer.kernel.assign(theirs.kernel * (256.0 if index == 0 else 1.0))
    # 255 becomes 256 on the way to the classifier, 254 stays 254: trunc(256 v / 255).
    scaled = np.floor(images.astype(np.float64) * 256 / 255).astype(np.float32) / 256
    first, others = plain.trainable_variables[:1], plain.trainable_variables[1:]
    optimizers = [keras.optimizers.Adam(beta_1=0.5, epsilon=epsilon) for epsilon in (1e-8 / 256, 1e-8)]
    for step in range(2):
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, plain(scaled), True))
        for optimizer, slopes, variables in zip(optimizers, tape.gradient(cost, (first, others)), (first, others)):
            optimizer.learning_rate.assign(1e-3 * (1 - step / 2))
            optimizer.apply(slopes, variables)
    for ours, theirs in zip(model.parts(), layers):
        moved = np.abs(ours.kernel * (256.0 if theirs is layers[0] else 1.0) - theirs.kernel)
        # A gradient that cancels to nothing has the sign of its rounding error, and Adam follows signs.
        assert np.mean(moved > 2e-5) < 1e-3


@pytest.mark.full
@pytest.mark.parametrize("as_generated", [False, True])
def test_learns_digits_and_repeats_itself(as_generated):
    train, test = sources.load("digits", "train"), sources.load("digits", "test")
    images = train.images.astype(np.float32) / 127.5 - 1 if as_generated else train.images

    def trained(count, epochs, network_seed):
        model = build_classifier("digits", seed=network_seed)
        recipe = Recipe(epochs=epochs, batch_size=64, learning_rate=1e-3, shift=1)
        training.train(model, RealImages(images[:count], train.labels[:count]), recipe, seed=1)
        return model

    assert np.mean(predict(trained(len(images), 4, 0), test.images) == test.labels) > 0.9
    np.testing.assert_allclose(trained(192, 2, 0).head.kernel, trained(192, 2, 9).head.kernel, atol=1e-4)


@pytest.mark.full
def test_fewer_images_than_a_batch_and_dropout():
    model = build_classifier("svhn")
    images = np.random.default_rng(0).integers(0, 256, [20, 32, 32, 3], dtype=np.uint8)
    labels = np.arange(20, dtype=np.int32) % 2
    images[labels == 1] //= 4
    training.train(model, RealImages(images, labels), Recipe(epochs=12, learning_rate=1e-3, dropout=True))
    assert np.mean(predict(model, images) == labels) == 1.0


def test_nothing_to_train_on():
    with pytest.raises(UserError, match="no image"):
        nothing = RealImages(np.zeros([0, 32, 32, 1], np.uint8), np.zeros(0, np.int32))
        training.train(build_classifier("digits"), nothing, Recipe(epochs=1))
