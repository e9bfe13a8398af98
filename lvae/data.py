"""From uint8 data sets to the pixels that the VAEs see, as the original prepares them.

Pixels are float32 in [0, 1]. Data sets stay uint8 in memory where they can; `Samples` prepares batches.
"""

import dataclasses
from typing import Callable

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import ndimage

SIDE = 32  # of the convolutional bodies
ANGLES = (30, 45, 70, 90, 130, 165, 200, 250, 295, 335)

_BLOCK, _SIGMA = 21, 3.5  # of Fashion's adaptive threshold


@dataclasses.dataclass(frozen=True)
class Samples:
    """Images of one or several classes."""

    values: np.ndarray  # [n, height, width, channels]
    labels: np.ndarray  # int32 [n]
    prepare: Callable[[np.ndarray], np.ndarray]  # values of a batch -> float32 in [0, 1], same rank

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, label: int) -> "Samples":
        kept = self.labels == label
        return dataclasses.replace(self, values=self.values[kept], labels=self.labels[kept])

    def take(self, rows, shape: tuple[int, ...]) -> np.ndarray:
        """float32 images of these rows in a network's input shape; grey ones fill all of its channels."""
        images = self.prepare(self.values[rows])
        if len(shape) == 3 and images.shape[-1] != shape[-1]:
            images = np.broadcast_to(images, (*images.shape[:-1], shape[-1]))
        return np.ascontiguousarray(images, np.float32).reshape(-1, *shape)


def one_vs_all(labels: np.ndarray) -> np.ndarray:
    """Which images [n] the original's one-against-all mode keeps: all but label 1, whatever the class.

    No script of the original uses that mode; the golden check does.
    """
    return labels != 1


def unit(values: np.ndarray) -> np.ndarray:
    """0..255 -> [0, 1] by the float32 reciprocal."""
    return values.astype(np.float32) * np.float32(1.0 / 255.0)


def as_float(values: np.ndarray) -> np.ndarray:
    """Values that are in [0, 1] already, as float32."""
    return values.astype(np.float32)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """A float32 image stretched so that its extremes become 0 and 255, in the original's float32 arithmetic.

    An image that is made of bytes already stays as it is; a constant one becomes black.
    """
    if image.dtype == np.uint8:
        return image
    low, width = image.min(), float(image.max() - image.min())
    factor = np.float32(255.0 / width) if width else np.float32(0.0)
    return (np.clip((image - low) * factor, 0, 255) + np.float32(0.5)).astype(np.uint8)


def resize(images: np.ndarray) -> np.ndarray:
    """Grey images [n, h, w] -> uint8 [n, 32, 32], each stretched on its own, by PIL's antialiased bilinear filter."""
    return np.stack([np.asarray(Image.fromarray(to_bytes(image)).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
                     for image in images])


def rotate(images: np.ndarray, angle: float) -> np.ndarray:
    """Images [n, h, w] or [n, h, w, 3] turned counter-clockwise by degrees -> uint8, corners black."""
    return np.stack([np.asarray(Image.fromarray(to_bytes(image)).rotate(angle, Image.Resampling.BILINEAR))
                     for image in images])


def adaptive_threshold(images: np.ndarray) -> np.ndarray:
    """uint8 [n, h, w] -> uint8 of 0 and 1: brighter than the rounded Gaussian mean of the 21 x 21 pixels around."""
    offsets = np.arange(_BLOCK) - _BLOCK // 2
    weights = np.exp(-offsets**2 / (2.0 * _SIGMA**2))
    weights /= weights.sum()
    mean = images.astype(np.float64)
    for axis in (1, 2):
        mean = ndimage.correlate1d(mean, weights, axis=axis, mode="nearest")
    return (images > np.rint(mean)).astype(np.uint8)


def enlarge(images: np.ndarray) -> np.ndarray:
    """[n, h, w] -> float32 [n, 32, 32] bilinearly between pixel centres, without antialiasing (OpenCV's resize)."""
    size = (SIDE, SIDE)
    return tf.image.resize(images.astype(np.float32)[..., None], size, method="bilinear").numpy()[..., 0]


def per_pixel_range(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Rescaling of every pixel position and channel to [0, 1] by its own extremes among all these images."""
    low = values.min(axis=0).astype(np.float64)
    width = values.max(axis=0) - low
    width[width == 0] = 1.0
    return lambda batch: ((batch - low) / width).astype(np.float32)


def hold_out(count: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows to train on, rows held out): a tenth, rounded up, by a permutation of seed 42."""
    order = np.random.RandomState(42).permutation(count)
    held = -(-count // 10)
    return order[held:], order[:held]
