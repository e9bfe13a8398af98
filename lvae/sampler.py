"""What `lib.sample` knows of the Lifelong VAE: where a run's checkpoints lie, images of the latent classes of one, and
reconstructions."""

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files, randomness, tf1
from lib.data.sources import Arrays
from lib.errors import UserError
from lib.sample.model import Drawn, Model
from lvae import data, distributions, examine, interchange, lifelong, samples
from lvae.checkpoint import models_in
from lvae.config import EXPERIMENTS, Config, config_of
from lvae.noise import draw_replay
from lvae.places import run_around  # noqa: F401 - lib.sample asks each sampler for it

_GREY = ("mnist", "fashion")  # data sets of 28x28 images, which training prepares one by one
_LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)  # of RGB, as Pillow's


class LifelongVAE(Model):
    """A VAE of one latent class per distribution; one that is not lifelong has none to ask for."""

    def __init__(self, prefix: Path, config: Config):
        self._learner = examine.load(config, prefix)
        self._config = self._learner.config
        self._vae = self._learner.networks.student
        latents = self._vae.latents
        super().__init__(prefix, map(str, range(latents.classes)), config.architecture.image_shape, latents.size,
                         samples.AT_ONCE, self._vae.decoder.count_params())

    def _batch(self, label, number, seed, batch):
        stream = "sample" if label is None else f"sample/{label}"
        noise = draw_replay(self._vae.latents, batch, lambda name: randomness.key(seed, f"{stream}/{name}", number),
                            label)
        z = lifelong.prior_sample(self._vae.latents, noise, self._config.generative_scale_var).numpy()
        labels = noise.classes if self._vae.latents.classes else tf.fill([batch], -1)
        return Drawn(samples.decoded(self._learner, z), labels.numpy(), z)

    def reconstructed(self, images, seed=0, *, batch=None):
        """As `Model` says. Pixels are prepared as in training where that is done image by image: MNIST and Fashion."""
        size = batch or self.batch
        for number, start in enumerate(range(0, len(images), size)):
            seen = samples.passed(self._learner, self._prepared(images[start:start + size]),
                                  lambda name: randomness.key(seed, f"reconstruct/{name}", number))
            logits = seen.posterior.logits.numpy()
            labels = np.argmax(logits, axis=1) if logits.shape[1] else np.full(len(logits), -1)
            yield Drawn(samples.pixels_of(self._config, seen.output), labels.astype(np.int32), seen.latent.z.numpy())

    @property
    def input_side(self):
        return 28 if self._source in _GREY else self.shape[0]

    @property
    def _source(self) -> str:
        """The one data set that was learned; "" for several, or where that is not known."""
        experiment = EXPERIMENTS.get(self._config.experiment)
        return experiment.sources[0] if experiment and len(experiment.sources) == 1 else ""

    def _prepared(self, images: np.ndarray) -> np.ndarray:
        """uint8 [n, h, w, 1 or 3] of any size as the networks see them."""
        source, side, architecture = self._source, self.input_side, self._config.architecture
        if images.shape[1:3] != (side, side):
            images = tf.image.resize(images, (side, side), antialias=True).numpy()
        if images.shape[-1] == 3 and (source in _GREY or self.shape[-1] == 1):
            images = images @ _LUMA
        arrays = Arrays(np.rint(images).astype(np.uint8), np.zeros(len(images), np.int32))
        prepared = (distributions.prepared(source, "test", arrays, architecture.body == "cnn") if source in _GREY
                    else data.Samples(*arrays, data.unit))
        return prepared.take(slice(None), architecture.input_shape)


def states(directory: Path, settings: dict) -> dict[int, Path]:
    """{distributions visited: prefix of the checkpoint} of a run; without forks, there is one file."""
    found = {int(match[1]): path.with_suffix("") for path in (directory / "models").glob("*.cpkt.index")
             if (match := re.match(r"vae(\d+)_", path.name))}
    if found and config_of(settings).is_lifelong:
        return {number + 1: prefix for number, prefix in found.items()}
    visits = len(files.read_json(directory / "results.json", list)) if found else 0
    return {visits: prefix for prefix in found.values()}


def of_run(prefix: Path, settings: dict) -> LifelongVAE:
    """A checkpoint of a run with these settings."""
    return LifelongVAE(prefix, config_of(settings | {"precision": "float32"}))


def of_checkpoint(prefix: Path, name: str) -> LifelongVAE:
    """A checkpoint of one of the models of `interchange`, whose variables tell the sizes."""
    values = tf1.read(prefix)
    models = models_in(values)
    if not models:
        raise UserError(f"{prefix} holds no model of a Lifelong VAE; leave out --model={name}")
    config, _ = interchange.model_of(name.removeprefix("lvae-"), max(models, key=models.get), values)
    return LifelongVAE(prefix, config)
