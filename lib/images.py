"""Value ranges, grids and image files.

Images are NHWC. Inside the networks they are float in [-1, 1]; data sets and pictures are uint8 in 0..255.
"""

import numpy as np
import tensorflow as tf


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 0..255 -> float32 [-1, 1], with the roundings of the original: 2 (x * float32(1/255) - 0.5)."""
    return 2.0 * (tf.cast(images, tf.float32) * np.float32(1.0 / 255.0) - 0.5)
