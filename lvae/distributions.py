"""What a run learns, distribution after distribution, and in which order."""

import numpy as np

PIXELS = 784


def pixel_permutation(number: int) -> np.ndarray:
    """Where each pixel of permuted MNIST's task `number` (from 1) comes from: the result's pixel i is pixel [i]."""
    return np.random.RandomState(number).permutation(PIXELS)
