"""Images that a model generates, and how they become pictures."""

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from lib import device, pictures
from memorygan import losses
from memorygan.config import Config
from memorygan.noise import Noise, draw_noise
from memorygan.step import Model

_GRID = 8  # samples per row and column of a picture


class Sampler:
    """Batches of generated images, by the memory as it is at the moment; nothing is updated.

    Args:
      training: batch norm uses the batch's statistics, as in the original's samples during training, instead of the
        moving ones.
    """

    def __init__(self, config: Config, model: Model, training: bool):
        self._config, self._model = config, model

        @device.graph(reduce_retracing=True)
        def generate(noise: Noise):
            inputs = losses.generator_input(config, model.memory_state(), noise.latent, noise.slots)
            return model.networks.generator(inputs, training=training).values

        self._generate = generate

    def draw(self, stream: str, *counters: int) -> tuple[np.ndarray, np.ndarray]:
        """Noise float32 [batch, z_dim] of a random stream and its images float32 [batch, h, w, c]."""
        noise = draw_noise(self._config, self._model.memory_state(), stream, *counters)
        return noise.latent.numpy(), self.images_of(noise)

    def images_of(self, noise: Noise) -> np.ndarray:
        """Images float32 [n, h, w, c]."""
        return self._generate(noise).numpy()


def generated(config: Config, model: Model, count: int) -> Iterator[np.ndarray]:
    """Yields batches of generated images float32 [n, h, w, c], `count` in all, by moving statistics."""
    sampler = Sampler(config, model, training=False)
    for batch, start in enumerate(tqdm(range(0, count, config.batch_size), desc="generating", unit="batch",
                                       dynamic_ncols=True, disable=None)):
        yield sampler.draw("generate", batch)[1][:count - start]


def sample_picture(images: np.ndarray) -> np.ndarray:
    """The first 64 images [n, h, w, c] as one uint8 picture [8 h, 8 w, c], stretched to its own extremes.

    The original maps (x + 1) / 2 for every data set, also where images are in [0, 1]; stretching undoes it. It needs
    64 images; with fewer, ours has as many rows as they fill and leaves the missing places black.
    """
    shown = (images[:_GRID**2] + 1.0) / 2.0
    missing = -len(shown) % _GRID
    shown = np.pad(shown, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=shown.min())
    return pictures.stretch(pictures.grid(shown, columns=_GRID))
