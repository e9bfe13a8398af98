"""From images as distributed to images as the networks see them: affine-MNIST, brightness and contrast, ranges."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import ndimage

from lib import randomness
from memorygan.config import DataSet

_LARGEST_ROTATION = 20  # degrees
# A 28x28 digit has 13 places per axis in 40x40; the original never draws the last.
_PLACES = 12
_BRIGHTNESS = 16.0 / 255.0
_CONTRAST = (0.8, 1.2)


class Augmentation(NamedTuple):
    """One change of brightness and one of contrast for a whole batch; the defaults change nothing."""

    delta: tf.Tensor | float | None = None
    factor: tf.Tensor | float | None = None


def draw_augmentation(seed: int, name: str, iteration) -> Augmentation:
    """The discriminator's and the generator's step on one batch draw their own."""
    def uniform(quantity, low, high):
        return tf.random.stateless_uniform([], randomness.key(seed, f"{name}/{quantity}", iteration), low, high)

    return Augmentation(uniform("brightness", -_BRIGHTNESS, _BRIGHTNESS), uniform("contrast", *_CONTRAST))


def preprocess(data: DataSet, images: tf.Tensor, augmentation: Augmentation = Augmentation()) -> tf.Tensor:
    """Images [n, h, w, c] in 0..255 -> float32 in [0, 1] or [-1, 1], whichever the data set's networks take."""
    x = tf.cast(images, tf.float32) / 255.0
    if augmentation.delta is not None:
        x += augmentation.delta
        mean = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
        x = (x - mean) * augmentation.factor + mean
    x = tf.clip_by_value(x, 0.0, 1.0)
    return x if data.unit_range else 2.0 * x - 1.0


def place(digit: np.ndarray, degrees: int, row: int, column: int, side: int = 40) -> np.ndarray:
    """A uint8 [28, 28] digit, rotated about its centre by cubic splines, at (row, column) of a black uint8 square."""
    square = np.zeros((side, side), np.uint8)
    height, width = digit.shape
    square[row:row + height, column:column + width] = ndimage.rotate(digit, degrees, reshape=False)
    return square


def distort(digits: np.ndarray, draws: np.ndarray, side: int = 40) -> np.ndarray:
    """uint8 [n, 28, 28, 1] and the integers `draw_distortions` gives [n, 3] -> uint8 [n, side, side, 1]."""
    return np.stack([place(digit[..., 0], degrees - _LARGEST_ROTATION, row, column, side)
                     for digit, (degrees, row, column) in zip(digits, draws)])[..., None]


def draw_distortions(seed: int, batch: int, count: int) -> np.ndarray:
    """int64 [count, 3]: rotation in degrees plus 20 (0..40), row and column offsets (0..11), of batch number `batch`.

    Every drawing of an image distorts it anew, as in the original.
    """
    generator = randomness.host_generator(seed, "affine", batch)
    return generator.integers([2 * _LARGEST_ROTATION + 1, _PLACES, _PLACES], size=(count, 3))
