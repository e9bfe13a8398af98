"""Classifiers that judge generated images, trained here on real ones; memoryGAN's residual network and small AlexNet.

These stand for the classifiers of the paper's table 3, whose weights were never published: scores are comparable
between our own runs, and near the published ones as far as the classifiers' accuracies are.
"""

from pathlib import Path
from typing import Callable, NamedTuple

import keras
import numpy as np

from lib import files, randomness
from lib.metrics.features import CLASSES, batches
from lib.metrics.pretrained import restore_weights
from lib.metrics.real_images import RealImages
from lib.metrics.training import shifted

_BATCH = 128


class Recipe(NamedTuple):
    """How a judge is built and trained: Adam with a rate that falls linearly to zero."""

    name: str
    build: Callable[..., keras.Model]  # (shape, seed) -> images in 0..255 to logits
    epochs: int
    flip: bool  # mirror half of the images, and judge each by the mean over itself and its mirror image
    shift: int  # largest displacement in pixels, over a black border
    learning_rate: float = 2e-3


def residual_network(shape: tuple, seed: int) -> keras.Model:
    """Two basic blocks of He et al. (2016), each at half the side and twice the width: wide and shallow, for CPUs."""
    count = iter(range(100))

    def conv(x, width, size, strides=1):
        initial = keras.initializers.HeNormal(seed=randomness.initial_seed(seed, "residual", str(next(count))))
        return keras.layers.Conv2D(width, size, strides, padding="same", use_bias=False, kernel_initializer=initial)(x)

    def norm(x):
        return keras.layers.BatchNormalization(momentum=0.9)(x)

    def block(x, width):
        inner = keras.layers.ReLU()(norm(conv(x, width, 3, strides=2)))
        inner = norm(conv(inner, width, 3))
        return keras.layers.ReLU()(keras.layers.Add()([inner, norm(conv(x, width, 1, strides=2))]))

    images = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(images)
    x = keras.layers.ReLU()(norm(conv(x, 32, 3)))
    for width in (64, 128):
        x = block(x, width)
    return keras.Model(images, head(keras.layers.GlobalAveragePooling2D()(x), seed))


def small_alexnet(shape: tuple, seed: int) -> keras.Model:
    """AlexNet's five convolutions and three pools at widths for 40x40 grey images, one hidden dense layer."""
    layers = [keras.layers.Rescaling(1 / 255.0)]
    for number, (width, size, pool) in enumerate(((32, 5, True), (64, 5, True), (96, 3, False), (96, 3, False),
                                                  (64, 3, True))):
        initial = keras.initializers.HeNormal(seed=randomness.initial_seed(seed, "alexnet", str(number)))
        layers.append(keras.layers.Conv2D(width, size, padding="same", activation="relu", kernel_initializer=initial))
        if pool:
            layers.append(keras.layers.MaxPooling2D())
    initial = keras.initializers.HeNormal(seed=randomness.initial_seed(seed, "alexnet", "dense"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(256, activation="relu", kernel_initializer=initial),
               keras.layers.Dropout(0.5, seed=randomness.initial_seed(seed, "alexnet", "dropout"))]
    images = keras.Input(shape)
    x = images
    for layer in layers:
        x = layer(x)
    return keras.Model(images, head(x, seed))


def head(x, seed: int, classes: int = CLASSES):
    """Logits of the classes."""
    initial = keras.initializers.GlorotUniform(seed=randomness.initial_seed(seed, "head"))
    return keras.layers.Dense(classes, kernel_initializer=initial)(x)


RECIPES = {
    "fashion": Recipe("ResNet", residual_network, epochs=12, flip=True, shift=1),
    "mnist": Recipe("simplified AlexNet", small_alexnet, epochs=6, flip=False, shift=2, learning_rate=1e-3),
    "affmnist": Recipe("simplified AlexNet", small_alexnet, epochs=15, flip=False, shift=0, learning_rate=1e-3),
    "cifar10": Recipe("small CIFAR10 ResNet", residual_network, epochs=30, flip=True, shift=4),
}


class Labelled(NamedTuple):
    """Real images with labels, to train a judge on or to test it with."""

    images: np.ndarray  # uint8 [n, h, w, c], as they are stored
    labels: np.ndarray  # int32 [n], 0 .. classes - 1
    # (indices, generator) -> uint8 images as a judge sees them, for sets that are distorted anew at every drawing
    draw: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None

    def drawn(self, chosen: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return self.draw(chosen, generator) if self.draw else self.images[chosen]


class _Epochs(keras.utils.PyDataset):
    """Every epoch's batches in an order of its own, augmented."""

    def __init__(self, data: Labelled, recipe: Recipe, seed: int):
        super().__init__()
        self._data, self._recipe, self._seed = data, recipe, seed
        self._epoch = 0
        self._shuffle()

    def _shuffle(self) -> None:
        generator = randomness.host_generator(self._seed, "judge", self._epoch)
        self._order = generator.permutation(len(self._data.labels))

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._order) // _BATCH)

    def __getitem__(self, number: int):
        chosen = self._order[number * _BATCH:(number + 1) * _BATCH]
        generator = randomness.host_generator(self._seed, "judge augmentation", self._epoch, number)
        images = self._data.drawn(chosen, generator)
        if self._recipe.flip:
            mirrored = generator.random(len(chosen)) < 0.5
            images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        if self._recipe.shift:
            images = shifted(images, self._recipe.shift, generator)
        return images.astype(np.float32), self._data.labels[chosen]


def _shape(data: Labelled) -> tuple:
    return data.drawn(np.array([0]), randomness.host_generator(0, "judge shape")).shape[1:]


def train(model: keras.Model, recipe: Recipe, data: Labelled, seed: int = 0) -> None:
    """Train a judge on `data`, in place; prints Keras' line per epoch."""
    epochs = _Epochs(data, recipe, seed)
    rate = keras.optimizers.schedules.PolynomialDecay(recipe.learning_rate, recipe.epochs * len(epochs), 0.0)
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    model.fit(epochs, epochs=recipe.epochs, verbose=2, shuffle=False)


def load_or_train(dataset: str, data: Labelled, test: Labelled, pretrain_dir: str = "pretrain",
                  recipe: Recipe | None = None) -> keras.Model:
    """The judge of a data set, trained the first time and read from its file later.

    A file serves only the very images and recipe it was trained with. Prints what it is and its accuracy on `test`.

    Args:
      recipe: default: memoryGAN's, for "fashion", "mnist", "affmnist" and "cifar10".
    """
    recipe = recipe or RECIPES[dataset]
    settings = (recipe.name, *recipe[2:])
    fingerprint = RealImages(data.images, data.labels).fingerprint(settings)
    path = Path(pretrain_dir, dataset, f"judge-{fingerprint}.weights.h5")
    model = recipe.build(_shape(data), 0)
    if not restore_weights(model, path):
        print(f"training the {recipe.name} that judges {dataset}, {recipe.epochs} epochs, for {path}", flush=True)
        files.make_directory(path.parent)
        train(model, recipe, data)
        with files.atomic(path) as temporary:
            model.save_weights(temporary)
    generator = randomness.host_generator(0, "judge test")
    seen = test.drawn(np.arange(len(test.labels)), generator)
    accuracy = float(np.mean(probabilities(model, batches(seen), recipe.flip).argmax(axis=1) == test.labels))
    print(f"{recipe.name} that judges {dataset}: accuracy {accuracy:.2%} on {len(test.labels)} real test images",
          flush=True)
    return model


def probabilities(model: keras.Model, images, mirrored: bool) -> np.ndarray:
    """p(y|x) float32 [n, classes] of a stream of image batches [m, h, w, c] in 0..255.

    Args:
      mirrored: the mean over each image and its mirror image.
    """
    def judged(batch):
        return keras.ops.convert_to_numpy(keras.ops.softmax(model(batch, training=False)))

    rows = []
    for batch in images:
        batch = np.asarray(batch, np.float32)
        rows.append((judged(batch) + judged(batch[:, :, ::-1])) / 2.0 if mirrored else judged(batch))
    return np.concatenate(rows)
