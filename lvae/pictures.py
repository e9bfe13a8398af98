"""The pictures that the original draws at the end: samples per latent class, reconstructions, 2-D latent plots."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files, pictures, randomness
from lvae import losses, samples
from lvae.data import Samples
from lvae.distributions import Course
from lvae.learner import Learner

_SAMPLES = 3  # per latent class
_RECONSTRUCTIONS = 20
_POINTS = 2000  # of a plot of posterior means
_STEPS, _REACH = 20, 3.0  # of the interpolation's grid in every direction


def _with_class(learner: Learner, continuous: np.ndarray, label: int) -> np.ndarray:
    """z [n, size] of z_c [n, continuous] and one latent class."""
    classes = learner.lineage.latents.classes
    one_hot = np.eye(max(classes, 1))[label, :classes]
    return np.concatenate([continuous, np.tile(one_hot, (len(continuous), 1))], axis=1)


def draw(directory: Path, course: Course, learner: Learner) -> list[np.ndarray]:
    """All pictures of the present model, under the original's names; returns the samples among them.

    They are a few of each latent class, or of the only prior: uint8 [n, h, w, c] each.
    """
    directory, drawn = Path(directory), _samples(learner)
    for label, of_class in enumerate(drawn):
        for number, pixels in enumerate(of_class):
            name = f"vae_{learner.lineage.forks}_consistency_discrete_index{label}_num{number}.png"
            pictures.save_png(directory / name, pixels)
    flat, model = learner.lineage.latents.continuous == 2, learner.model().prefix
    for name, images in course.tests.items():
        lead = f"{name}_" if len(course.tests) > 1 else ""
        # The original's name: 20d_... whatever the latent size, or the test set's where there are two.
        _draw_reconstructions(directory / f"{lead or '20d_'}reconstr_{model}.png", learner, images)
        if flat:
            _draw_clusters(directory / f"{lead}2d_cluster_{model}.png", learner, images)
    if flat:
        _draw_interpolation(directory / "interpolation_discrete", learner)
    return drawn


def _samples(learner: Learner) -> list[np.ndarray]:
    latents, found = learner.lineage.latents, []
    for label in range(max(latents.classes, 1)):
        generator = randomness.host_generator(learner.config.seed, "samples", learner.lineage.forks, label)
        drawn = generator.standard_normal((_SAMPLES, latents.continuous))
        found.append(samples.decoded(learner, _with_class(learner, drawn, label)))
    return found


def overview(course: Course, learner: Learner, drawn: list[np.ndarray]) -> np.ndarray:
    """The samples that `draw` returned as one picture uint8 [height, width, 3], a row for each latent class."""
    names = [course.distributions[number].name for number in dict.fromkeys(learner.visited)]
    classes = learner.lineage.latents.classes
    return pictures.labelled_grid(drawn, names if len(names) == classes else [*map(str, range(classes))])


def _draw_reconstructions(path: Path, learner: Learner, images: Samples) -> None:
    """Test images above, their reconstructions below."""
    config = learner.config
    count = min(_RECONSTRUCTIONS, len(images))
    batch = images.take(slice(count), config.architecture.input_shape)
    below = samples.reconstructed(learner, batch,
                                  lambda name: randomness.key(config.seed, f"reconstructions/{name}"))
    above = samples.rounded_pixels(config, batch)
    pictures.save_png(path, pictures.grid(np.concatenate([above, below]), columns=count))


def _draw_clusters(path: Path, learner: Learner, images: Samples) -> None:
    """Posterior means of the test images, coloured by class."""
    rows = slice(min(len(images), _POINTS))
    batch = tf.constant(images.take(rows, learner.config.architecture.input_shape))
    means = losses.encode(learner.config, learner.networks.student, batch).mean.numpy()

    def scatter(figure):
        points = figure.subplots().scatter(means[:, 0], means[:, 1], c=images.labels[rows], s=6, cmap="tab10")
        figure.colorbar(points, label="class")

    files.write_bytes(path, pictures.rendered(scatter, (6, 5), "png"))


def _draw_interpolation(path: Path, learner: Learner) -> None:
    """A 20 x 20 grid over z_c for every latent class: the first dimension grows to the right, the second upwards."""
    ticks = np.linspace(-_REACH, _REACH, _STEPS)
    grid = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
    for label in range(max(learner.lineage.latents.classes, 1)):
        pixels = samples.decoded(learner, _with_class(learner, grid, label))
        pictures.save_png(path.with_name(f"{path.name}{label}.png"), pictures.grid(pixels, columns=_STEPS))
