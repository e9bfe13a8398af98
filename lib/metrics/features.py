"""Networks that judge images: the original's three evaluation classifiers and what they see in an image.

The classifiers take what `lib.pictures.to_classifier_input` makes of an image: whole numbers in 0..256, unscaled.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lib import pictures, randomness
from lib.errors import UserError

CLASSES = 10
_BATCH = 500

# Mean colours of ImageNet, in the order blue, green, red: what the VGG networks subtract.
_MEAN_COLOUR = (103.939, 116.779, 123.68)


class _Layout(NamedTuple):
    """Side and channels of the images; widths of the convolutions between two max pools; names and widths after them.

    The names are those of the variables in TF1 checkpoints.
    """

    side: int
    channels: int
    convolution: str
    blocks: tuple[tuple[int, ...], ...]
    dense: dict[str, int]


_MNIST = _Layout(32, 1, "", (), {"fc1": 1024, "fc2": 512, "fc3": 256, "fc4": 128, "fc5": CLASSES})

_LAYOUTS = {
    "mnist": _MNIST,
    "digits": _MNIST,
    "svhn": _Layout(32, 3, "svhn_conv", ((32, 32), (64, 64), (128, 128, 128)),
                    {"svhn_fc5_lsun10": 512, "svhn_fc6_lsun10": 128, "svhn_fc7_lsun10": CLASSES}),
    "lsun": _Layout(64, 3, "conv", ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
                    {"fc6_lsun10": 1024, "fc7_lsun10": 512, "fc8_lsun10": CLASSES}),
}


class Classifier(keras.Model):
    """3x3 convolutions in blocks that a max pool ends, if any, then fully connected layers, all with ReLU.

    `mnist` (and `digits`) is fully connected, `svhn` a small VGG, `lsun` VGG16. Every kernel and bias starts as a
    truncated normal of standard deviation 0.001, as in the original, which then reads a checkpoint over it.
    """

    def __init__(self, layout: _Layout, *, name: str, seed: int, dtype):
        super().__init__(name=name, dtype=dtype)

        def initial(layer, kind):
            return keras.initializers.TruncatedNormal(0.0, 0.001, seed=randomness.initial_seed(seed, layer, kind))

        def options(layer):
            return dict(kernel_initializer=initial(layer, "kernel"), bias_initializer=initial(layer, "bias"),
                        name=layer, dtype=dtype)

        def convolution(block, number, width):
            return keras.layers.Conv2D(width, 3, padding="same", **options(f"{layout.convolution}{block}_{number}"))

        self.blocks = [[convolution(block, number, width) for number, width in enumerate(widths, 1)]
                       for block, widths in enumerate(layout.blocks, 1)]
        *hidden, (last, classes) = layout.dense.items()
        self.hidden = [keras.layers.Dense(width, **options(layer)) for layer, width in hidden]
        self.head = keras.layers.Dense(classes, **options(last) | dict(dtype=self.dtype_policy.variable_dtype))

    def parts(self):
        return [*(layer for block in self.blocks for layer in block), *self.hidden, self.head]

    def features(self, images, dropout_key=None):
        """Activations of the last hidden layer: [n, 128] (mnist, digits, svhn) or [n, 512] (lsun).

        Args:
          images: float [n, h, w, c] in 0..256.
          dropout_key: int32 [2]; if given, half of the first fully connected layer's units are dropped, as in the
            original's training of the svhn classifier.
        """
        x = tf.cast(images, self.dtype_policy.variable_dtype)
        if self.blocks:
            x = tf.reverse(x, axis=[-1]) - tf.constant(_MEAN_COLOUR, x.dtype)
        for block in self.blocks:
            for layer in block:
                x = tf.nn.relu(layer(x))
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        x = tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])
        for number, layer in enumerate(self.hidden):
            x = tf.nn.relu(layer(x))
            if number == 0 and dropout_key is not None:
                x = tf.nn.experimental.stateless_dropout(x, 0.5, dropout_key)
        return tf.cast(x, self.dtype_policy.variable_dtype)

    def call(self, images, dropout_key=None):
        """Logits [n, 10] of float images [n, h, w, c] in 0..256."""
        return self.head(self.features(images, dropout_key))


def build_classifier(dataset: str, dtype="float32", seed: int = 0) -> Classifier:
    """The untrained classifier of a data set: float images [n, h, w, c] in 0..256 -> logits [n, 10]."""
    if dataset not in _LAYOUTS:
        raise UserError(f"no evaluation classifier for data set {dataset!r}: there is one for {', '.join(_LAYOUTS)}")
    layout = _LAYOUTS[dataset]
    model = Classifier(layout, name=f"{dataset}_classifier", seed=seed, dtype=dtype)
    model(tf.zeros([1, layout.side, layout.side, layout.channels], model.dtype_policy.variable_dtype))
    return model


def tf1_names(model: Classifier) -> dict[str, keras.Variable]:
    """Every variable of a classifier under its name in the original's checkpoints."""
    names = {}
    for layer in model.parts():
        kernel = "weights" if isinstance(layer, keras.layers.Dense) else "filters"
        names[f"{layer.name}/{layer.name}_{kernel}"] = layer.kernel
        names[f"{layer.name}/{layer.name}_biases"] = layer.bias
    return names


class Extractor(NamedTuple):
    """What turns images into numbers for a metric, with the name that has to stand beside the metric."""

    name: str
    extract: Callable  # images [n, h, w, c], uint8 in 0..255 or float in [-1, 1] -> float array [n, d]


def as_float(images) -> tf.Tensor:
    """Real images (uint8 in 0..255) and generated ones (float in [-1, 1]) alike, as float32 in [-1, 1]."""
    images = tf.convert_to_tensor(images)
    return pictures.to_float(images) if images.dtype == tf.uint8 else tf.cast(images, tf.float32)


def to_input(images) -> tf.Tensor:
    """Real images (uint8 in 0..255) and generated ones (float in [-1, 1]) alike, as the classifiers take them."""
    return pictures.to_classifier_input(as_float(images))


def classifier_features(classifier: Classifier, dataset: str) -> Extractor:
    """The last hidden layer of a data set's evaluation classifier."""
    return Extractor(f"{dataset} classifier features", lambda images: classifier.features(to_input(images)).numpy())


def batches(images: np.ndarray, size: int = _BATCH) -> Iterator[np.ndarray]:
    """Consecutive parts of at most `size` images."""
    for start in range(0, len(images), size):
        yield images[start:start + size]


def extract(extractor: Extractor, images: Iterable[np.ndarray]) -> np.ndarray:
    """Features [n, d] of a stream of image batches, as for t-SNE."""
    return np.concatenate([extractor.extract(batch) for batch in images])
