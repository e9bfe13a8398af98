"""Networks that tell classes apart: images in, logits out.

The three evaluation classifiers of MeRGAN's original take what `lib.pictures.to_classifier_input` makes of an image,
whole numbers in 0..256; the residual network and the small AlexNet take pixels in 0..255.
"""

import itertools
from typing import NamedTuple

import keras
import tensorflow as tf

from lib import randomness
from lib.data.own import Own
from lib.errors import UserError

CLASSES = 10

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

_SVHN = _Layout(32, 3, "svhn_conv", ((32, 32), (64, 64), (128, 128, 128)),
                {"svhn_fc5_lsun10": 512, "svhn_fc6_lsun10": 128, "svhn_fc7_lsun10": CLASSES})

_LAYOUTS = {
    "mnist": _MNIST,
    "digits": _MNIST,
    "fashion": _MNIST,
    "svhn": _SVHN,
    "cifar10": _SVHN,
    "lsun": _Layout(64, 3, "conv", ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
                    {"fc6_lsun10": 1024, "fc7_lsun10": 512, "fc8_lsun10": CLASSES}),
}


def _of_own_images(images: Own) -> _Layout:
    """As for the original's data set of this side and number of channels, but a smaller VGG than lsun's at 64."""
    like = _MNIST if (images.side, images.channels) == (32, 1) else _SVHN
    blocks = like.blocks + ((128, 128, 128),) if images.side == 64 else like.blocks
    return like._replace(side=images.side, channels=images.channels, blocks=blocks,
                         dense=like.dense | {list(like.dense)[-1]: len(images.classes)})


class Classifier(keras.Model):
    """3x3 convolutions in blocks that a max pool ends, if any, then fully connected layers, all with ReLU.

    `mnist`'s is fully connected, `svhn`'s a small VGG, `lsun`'s VGG16. Every kernel and bias starts as a
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
        """Activations of the last hidden layer: [n, 128] (32x32 images) or [n, 512] (lsun).

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
        """Logits [n, classes] of float images [n, h, w, c] in 0..256."""
        return self.head(self.features(images, dropout_key))


def build_classifier(dataset: str | Own, dtype="float32", seed: int = 0) -> Classifier:
    """The untrained classifier of a data set: float images [n, h, w, c] in 0..256 -> logits [n, 10 or own classes]."""
    if not isinstance(dataset, Own) and dataset not in _LAYOUTS:
        raise UserError(f"no evaluation classifier for data set {dataset!r}: there is one for {', '.join(_LAYOUTS)}")
    layout = _of_own_images(dataset) if isinstance(dataset, Own) else _LAYOUTS[dataset]
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


def he_normal(seed: int, *names: str) -> keras.initializers.Initializer:
    """He's normal kernel, drawn for the layer with these names."""
    return keras.initializers.HeNormal(seed=randomness.initial_seed(seed, *names))


def residual_network(shape: tuple, seed: int, classes: int = CLASSES) -> keras.Model:
    """Two basic blocks of He et al. (2016), each at half the side and twice the width: wide and shallow, for CPUs."""
    count = itertools.count()

    def conv(x, width, size, strides=1):
        initial = he_normal(seed, "residual", str(next(count)))
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
    return keras.Model(images, head(keras.layers.GlobalAveragePooling2D()(x), seed, classes))


def small_alexnet(shape: tuple, seed: int) -> keras.Model:
    """AlexNet's five convolutions and three pools at widths for 40x40 grey images, one hidden dense layer."""
    def options(name):
        return dict(activation="relu", kernel_initializer=he_normal(seed, "alexnet", name))

    images = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 255.0)(images)
    for number, (width, size, pool) in enumerate(((32, 5, True), (64, 5, True), (96, 3, False), (96, 3, False),
                                                  (64, 3, True))):
        x = keras.layers.Conv2D(width, size, padding="same", **options(str(number)))(x)
        if pool:
            x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(256, **options("dense"))(keras.layers.Flatten()(x))
    x = keras.layers.Dropout(0.5, seed=randomness.initial_seed(seed, "alexnet", "dropout"))(x)
    return keras.Model(images, head(x, seed))


def small_network(dense: bool, classes: int, shape: tuple, seed: int) -> keras.Model:
    """Images in 0..255 to logits, made for a few minutes of a CPU; the last but one layer, of 128 units, is what
    distances are measured in.

    Args:
      dense: two fully connected layers in place of convolutions.
    """
    def options(name):
        return dict(activation="relu", kernel_initializer=he_normal(seed, "features", name))

    images = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 255.0)(images)
    for width, size in () if dense else ((32, 5), (64, 5), (128, 3)):
        x = keras.layers.Conv2D(width, size, 2, padding="same", **options(f"conv {width}"))(x)
    x = keras.layers.Flatten()(x)
    if dense:
        x = keras.layers.Dense(512, **options("dense"))(x)
    x = keras.layers.Dense(128, **options("last"))(x)
    return keras.Model(images, head(x, seed, classes))


def head(x, seed: int, classes: int = CLASSES):
    """Logits of the classes."""
    initial = keras.initializers.GlorotUniform(seed=randomness.initial_seed(seed, "head"))
    return keras.layers.Dense(classes, kernel_initializer=initial)(x)
