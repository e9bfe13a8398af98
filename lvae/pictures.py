"""The pictures that the original draws at the end: samples per latent class, reconstructions, 2-D latent plots."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files, pictures, randomness
from lvae import losses, step
from lvae.config import Config
from lvae.learner import Learner

_SAMPLES = 3  # per latent class
_RECONSTRUCTIONS = 20
_STEPS, _REACH = 20, 3.0  # of the interpolation's grid in every direction


def to_pixels(config: Config, batch) -> np.ndarray:
    """A network's images -> uint8 [n, height, width, channels]; a location may lie outside [0, 1]."""
    shaped = np.reshape(batch, [-1, *config.architecture.image_shape])
    return pictures.rounded_pixels(shaped, unit_range=True)


def _generate(config: Config, learner: Learner, z: np.ndarray) -> np.ndarray:
    decoder = learner.networks.student.decoder
    return to_pixels(config, losses.likelihood(config).mean(decoder(tf.constant(z, tf.float32))))


def _one_hot(learner: Learner, continuous: np.ndarray, label: int) -> np.ndarray:
    classes = learner.lineage.latents.classes
    return np.concatenate([continuous, np.tile(np.eye(max(classes, 1))[label, :classes], (len(continuous), 1))], axis=1)


def draw(directory: Path, config: Config, course, learner: Learner) -> None:
    """All pictures of the present model, under the original's names."""
    directory, latents = Path(directory), learner.lineage.latents
    _draw_samples(directory, config, learner)
    for prefix, samples in course.tests.items():
        # The original's names: 20d_... whatever the latent size, or the test set's where there are two.
        lead = prefix if len(course.tests) > 1 else "20d"
        _draw_reconstructions(directory / f"{lead}_reconstr_{learner.model().prefix}.png", config, learner, samples)
    if latents.continuous == 2:
        _draw_clusters(directory, config, course, learner)
        _draw_interpolation(directory / f"{next(iter(course.tests))}interpolation_discrete", config, learner)


def _draw_samples(directory: Path, config: Config, learner: Learner) -> None:
    latents, submodel = learner.lineage.latents, learner.lineage.forks
    for label in range(max(latents.classes, 1)):
        generator = randomness.host_generator(config.seed, "samples", submodel, label)
        drawn = generator.standard_normal((_SAMPLES, latents.continuous))
        for number, picture in enumerate(_generate(config, learner, _one_hot(learner, drawn, label))):
            pictures.save_png(directory / f"vae_{submodel}_consistency_discrete_index{label}_num{number}.png", picture)


def _draw_reconstructions(path: Path, config: Config, learner: Learner, samples) -> None:
    """Test images above, their reconstructions below."""
    count = min(_RECONSTRUCTIONS, len(samples))
    batch = tf.constant(samples.take(slice(count), config.architecture.input_shape))
    noise = step.draw_latent(learner.lineage.latents, count,
                             lambda name: randomness.key(config.seed, f"reconstructions/{name}"))
    temperature = step.current_temperature(config, learner.clock.read())
    seen = losses.reconstruct(config, learner.networks.student, batch, noise, temperature)
    rows = [to_pixels(config, batch), to_pixels(config, losses.likelihood(config).mean(seen.output))]
    pictures.save_png(path, pictures.grid(np.concatenate(rows), columns=count))


def _draw_clusters(directory: Path, config: Config, course, learner: Learner) -> None:
    """Posterior means of the test images, coloured by class."""
    for samples in course.tests.values():
        rows = slice(min(len(samples), 2000))
        batch = tf.constant(samples.take(rows, config.architecture.input_shape))
        means = losses.encode(config, learner.networks.student, batch).mean.numpy()

        def scatter(figure):
            points = figure.subplots().scatter(means[:, 0], means[:, 1], c=samples.labels[rows], s=6, cmap="tab10")
            figure.colorbar(points, label="class")

        files.write_bytes(directory / f"2d_cluster_{learner.model().prefix}.png",
                          pictures.rendered(scatter, (6, 5), "png"))


def _draw_interpolation(path: Path, config: Config, learner: Learner) -> None:
    """A 20 x 20 grid over z_c for every latent class."""
    ticks = np.linspace(-_REACH, _REACH, _STEPS)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    for label in range(max(learner.lineage.latents.classes, 1)):
        pixels = _generate(config, learner, _one_hot(learner, grid, label))
        pictures.save_png(path.with_name(f"{path.name}{label}.png"), pictures.grid(pixels, columns=_STEPS))
