"""The sample pictures that a MeRGAN run draws while it trains, under the original's names."""

import numpy as np

from lib import pictures
from lib.mergan.config import Config
from lib.mergan.networks import Networks
from lib.mergan.samples import GRID, samples_of
from lib.run.runner import Run


class Pictures:
    """Drawn into `samples/` of a run, always of the same latent vectors."""

    def __init__(self, config: Config, networks: Networks, run: Run):
        self._config, self._run = config, run
        self._samples = samples_of(config, networks)
        self._noise = self._samples.fixed_noise(config.seed)

    def groundtruth(self, task: int, images: np.ndarray) -> None:
        """A grid of real images uint8 [n, h, w, c]."""
        # The original names joint training's after a task that joint training does not have.
        name = "4" if self._config.joint else self._config.data.classes[task]
        self._save(f"samples_groundtruth_{name}.png", pictures.groundtruth_pixels(pictures.to_float(images)))

    def samples(self, task: int, iteration: int) -> None:
        """A grid for every file of this moment, and their first rows together for TensorBoard."""
        samples, learned = self._samples, self._samples.learned(task)
        pixels = pictures.truncated_pixels(samples.pictures(learned, self._noise))
        for name, images in zip(samples.files(learned, iteration), pixels):
            self._save(name, images, samples.columns)
        parts = map(samples.row, range(samples.rows(learned)))
        rows = [[*pixels[file][part][:GRID].astype(np.uint8)] for file, part in parts]
        names = self._config.data.classes[:learned] if samples.conditional else ()
        self._run.log.picture("samples", pictures.labelled_grid(rows, names), self._run.first_step + iteration)

    def _save(self, name: str, pixels: np.ndarray, *columns: int) -> None:
        pictures.save_grid(self._run.directory / "samples" / name, pixels, *columns)
