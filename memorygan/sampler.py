"""What `lib.sample` knows of memoryGAN: where a run's checkpoints lie, and images of the slots of one's memory."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from lib import pictures, tf1
from lib.run.settings import of_stored
from lib.sample.model import Drawn, Model
from memorygan import checkpoint, interchange, step
from memorygan.config import Config, beside
from memorygan.noise import draw_noise
from memorygan.samples import Sampler


class MemoryGAN(Model):
    """A generator that is given noise and the key of a slot, by the moving statistics of its batch norms.

    A plain GAN, and one that was trained without slot sampling, has no slots to ask for.
    """

    by = "slot"

    def __init__(self, prefix: Path, config: Config, model: step.Model):
        self._config, self._model = config, model
        checkpoint.restore(prefix, model)
        self._sampler = Sampler(config, model, training=False)
        slots = config.mem_size if config.samples_slots else 0
        super().__init__(prefix, map(str, range(slots)), (config.data.side, config.data.side, config.data.channels),
                         config.z_dim, config.batch_size, model.networks.generator.count_params())

    def file(self, label, number):
        return f"{number:06d}_slot{label}.png" if self.names else f"{number:06d}.png"

    def _default(self):
        return [None]  # drawn by p(c | v = 1)

    def _batch(self, label, number, seed, batch):
        stream = "sample" if label is None else f"sample/{label}"
        noise = draw_noise(dataclasses.replace(self._config, seed=seed), self._model.memory_state(), stream, number,
                           count=batch)
        if label is not None:
            noise = noise._replace(slots=tf.fill([batch], label))
        images = pictures.rounded_pixels(self._sampler.images_of(noise), self._config.data.unit_range)
        return Drawn(images, noise.slots.numpy(), noise.latent.numpy())


def states(directory: Path, settings: dict) -> dict[int, Path]:
    """{epoch: prefix of the checkpoint} of the run that logs in a directory `logs/<exp>/<stamp>`."""
    return checkpoint.by_epoch(beside(directory, "checkpoint"))


def run_around(prefix: Path) -> Path:
    """The directory where the run of a checkpoint would log."""
    return beside(prefix.parent, "logs")


def of_run(prefix: Path, settings: dict) -> MemoryGAN:
    """A checkpoint of a run with these settings."""
    config = of_stored(Config, settings | {"precision": "float32"})
    return MemoryGAN(prefix, config, step.build_model(config))


def of_checkpoint(prefix: Path, name: str) -> MemoryGAN:
    """A checkpoint of one of the models of `interchange`, whose variables tell the sizes."""
    return MemoryGAN(prefix, *interchange.model_of(name.removeprefix("memorygan-"), tf1.read(prefix)))
