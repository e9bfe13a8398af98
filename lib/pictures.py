"""Value ranges, grids and image files.

Images are NHWC. Inside the networks they are float in [-1, 1]; data sets and pictures are uint8 in 0..255.
"""

import io
import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from lib import files


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 0..255 -> float32 [-1, 1], with the roundings of the original: 2 (x * float32(1/255) - 0.5)."""
    return 2.0 * (tf.cast(images, tf.float32) * np.float32(1.0 / 255.0) - 0.5)


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Generated images in [-1, 1] -> int32 0..255 by truncation, as the original draws its samples."""
    return ((np.asarray(images, np.float32) + np.float32(1.0)) * np.float32(127.5)).astype(np.int32)


def groundtruth_to_pixels(images: np.ndarray) -> np.ndarray:
    """Real images in [-1, 1] -> int32 0..254: the original's factor for them is 127, by a floor division."""
    return ((np.asarray(images, np.float32) + np.float32(1.0)) * np.float32(127.0)).astype(np.int32)


def to_classifier_input(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] -> whole numbers 0..256 as float32, what the evaluation classifiers were fed."""
    return tf.cast(tf.cast(images * 128.0 + 128.0, tf.int32), tf.float32)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """One picture [rows * h, columns * w, c] of images [n, h, w, c], row by row.

    Without `columns`, rows are the largest divisor of n up to its square root, as in the original.
    """
    count, height, width, channels = images.shape
    if columns is None:
        rows = next(rows for rows in range(math.isqrt(count), 0, -1) if count % rows == 0)
        columns = count // rows
    tiles = images.reshape(-1, columns, height, width, channels)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, channels)


def stretch(picture: np.ndarray) -> np.ndarray:
    """Rescale a picture so that its own extremes become 0 and 255 (uint8), as old SciPy's imsave did.

    Pixel values of two pictures can therefore not be compared. A constant picture becomes 0.
    """
    picture = np.asarray(picture, np.float64)
    low, high = picture.min(), picture.max()
    scaled = (picture - low) * (255.0 / (high - low)) if high > low else np.zeros_like(picture)
    return np.floor(np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write uint8 [h, w, 1 or 3] as an RGB PNG, complete or not at all."""
    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format="PNG")
    files.write_bytes(path, buffer.getvalue())


def save_figure(path: Path, figure) -> None:
    """Write a matplotlib figure in the format of the path's suffix, complete or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120, format=Path(path).suffix[1:])
    files.write_bytes(path, buffer.getvalue())


def save_grid(path: Path, pixels: np.ndarray, columns: int | None = None) -> None:
    """Write int pixels [n, h, w, c] as the original writes a grid: arranged, stretched, three channels."""
    save_png(path, stretch(grid(pixels, columns)))
