"""What a memoryGAN run leaves behind as the original does: the lines, figures and pictures of epochs, checkpoints."""

import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lib import device, files, pictures, tf1
from lib.classifiers.features import batches
from lib.run.runner import Event, Run
from memorygan import checkpoint, data, memory
from memorygan.config import Command, Config
from memorygan.places import SAMPLE_BATCHES, Places
from memorygan.samples import Sampler, sample_picture
from memorygan.step import Model

_FLUSHED_EVERY = 100


class Record:
    """Of a run at work.

    Args:
      test_images: uint8 [n, h, w, c], whose likelihood is tracked; None for none.
    """

    def __init__(self, config: Config, command: Command, model: Model, test_images: np.ndarray | None, places: Places,
                 run: Run):
        self._config, self._command, self._model, self._places, self._run = config, command, model, places, run
        self._sampler = Sampler(config, model, training=True)
        self._tracker = Tracker(config, model, test_images) if config.has_memory else None
        self._summaries = run.log.originals_events(places.logs)
        self._started = time.monotonic()

    def events(self, epoch_of, end_epoch) -> list[Event]:
        """What is told, drawn and written while it trains.

        A checkpoint comes after every `--save_every`th epoch from `--save_from` on, and at the end; the newest `--keep`
        stay.

        Args:
          epoch_of: iteration -> the epoch that ends with it, None within one.
          end_epoch: called with every last iteration of an epoch.
        """
        last = self._run.lengths[0] - 1

        def saved(iteration: int) -> bool:
            epoch = epoch_of(iteration) or 0
            return iteration == last or epoch >= self._command.save_from and epoch % self._command.save_every == 0

        return [Event(lambda i: i % _FLUSHED_EVERY == 0 and not epoch_of(i), self._run.log_point),
                Event(lambda i: epoch_of(i) is not None, end_epoch),
                Event(saved, lambda i: self.save(epoch_of(i) or self._config.epoch))]

    def epoch(self, epoch: int, iteration: int, values: dict[str, float], real: np.ndarray) -> None:
        """The line, the log point and the pictures of an epoch.

        Args:
          values: {quantity: value} of its last iteration.
          real: that iteration's images uint8 [batch, h, w, c].
        """
        now = time.monotonic()
        tqdm.write(f"[Epoch {epoch}] time: {now - self._started:.4f}, d_real: {values['d_real']:.8f}, "
                   f"d_fake: {values['d_fake']:.8f}, sec_per_epoch: {(now - self._started) / epoch:.4f}")
        if self._tracker:
            self._track(epoch, iteration)
        self._run.log_point(iteration)
        _, fake = self._sampler.draw("summary", iteration)
        # As the original's summaries: a point per epoch, with the values of one batch.
        self._summaries.scalars(values, epoch)
        for name, images in (("fake_images", fake), ("real_images", real)):
            picture = sample_picture(images)
            self._run.log.picture(name, picture, iteration)
            self._summaries.picture(f"{name}/image/0", picture, epoch)

    def _track(self, epoch: int, iteration: int) -> None:
        likelihood, prior = self._tracker.measure()
        _save_array(self._places.logs / "prior" / f"epoch_{epoch}.npy", prior)
        if likelihood is not None:
            self._run.log.add({"test_log_likelihood": {iteration: likelihood}})

    def save(self, epoch: int) -> None:
        """The original's checkpoint, samples, their noise and their picture; the newest `--keep` stay, 0: all."""
        checkpoint.write(self._places.checkpoints / f"model-{epoch}", self._model)
        drawn = [self._sampler.draw("samples", epoch, batch) for batch in range(SAMPLE_BATCHES)]
        noises, samples = (np.concatenate(parts) for parts in zip(*drawn))
        path = self._places.samples / f"samples_{epoch}.png"
        tqdm.write(f"Save Samples at {path.with_suffix('')}")
        pictures.save_png(path, sample_picture(samples))
        _save_array(path.with_suffix(".npy"), samples)
        _save_array(self._places.samples / f"noises_{epoch}.npy", noises)
        if self._command.keep:
            for name in tf1.keep_newest(self._places.checkpoints, self._command.keep):
                for kind in ("samples", "noises"):
                    (self._places.samples / f"{kind}_{name.removeprefix('model-')}.npy").unlink(missing_ok=True)


class Tracker:
    """Measures what the paper's figure 3 shows over training: likelihood of test images and use of the slots."""

    def __init__(self, config: Config, model: Model, test_images: np.ndarray | None):
        self._images, self._memory = test_images, model.memory

        @device.graph(reduce_retracing=True)
        def likelihood(images):
            queries = model.networks.discriminator(data.preprocess(config.data, images), training=False).values
            return memory.log_likelihood(model.memory.state(), queries)

        self._likelihood = likelihood

    def measure(self) -> tuple[float | None, np.ndarray]:
        """(mean biased log-likelihood of the test images, or None without any; p(c) float32 [N])."""
        prior = memory.categorical_prior(self._memory.state()).numpy()
        if self._images is None:
            return None, prior
        values = [self._likelihood(part).numpy() for part in batches(self._images)]
        return float(np.mean(np.concatenate(values))), prior


def _save_array(path: Path, array: np.ndarray) -> None:
    """Write a .npy file, complete or not at all."""
    with files.atomic(path) as temporary, open(temporary, "wb") as handle:
        np.save(handle, array)
