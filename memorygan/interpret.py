"""The paper's figures of what the memory has learned (figs. 1, 3, 5 and 6), from a checkpoint and a run's logs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files, pictures, randomness
from lib.classifiers.features import batches
from lib.data.batching import evenly
from lib.errors import UserError, reason
from lib.run import log
from memorygan import data, memory, samples
from memorygan.config import Command, Config, logs_of, numbered
from memorygan.data import TrainingSet
from memorygan.noise import draw_latent, draw_slots
from memorygan.step import Model

SIDE = 8  # of the squares of interpolated images
SHOWN_SLOTS = 9
BEST_SLOTS = 5  # of those the most probable, the others drawn among all real slots
NEAREST = 7
ROWS = 8  # generated images whose neighbours are shown
_AT_ONCE = 16  # batches of training images that are searched for neighbours together
_LEAST_PRIOR = 4e-4  # the paper leaves out slots below


def generate(model: Model, latent: tf.Tensor, keys: tf.Tensor | None) -> np.ndarray:
    """Images float32 [n, h, w, c] of noise [n, z_dim] and keys [n, key_dim] (None: no keys), by moving statistics."""
    inputs = latent if keys is None else tf.concat([latent, keys], axis=1)
    return model.networks.generator(inputs).values.numpy()


def queries_of(config: Config, model: Model, images: np.ndarray) -> np.ndarray:
    """Unit queries float32 [n, key_dim] of uint8 images, by moving statistics."""
    return np.concatenate([memory.normalise(
        model.networks.discriminator(data.preprocess(config.data, tf.constant(batch))).values).numpy()
        for batch in batches(images)])


def bilinear(corners: np.ndarray, side: int = SIDE) -> np.ndarray:
    """[side * side, d] between four corner vectors [4, d] (upper left, upper right, lower left, lower right)."""
    steps = np.linspace(0.0, 1.0, side, dtype=np.float32)
    down, right = (axis.reshape(-1, 1) for axis in np.meshgrid(steps, steps, indexing="ij"))
    upper = (1 - right) * corners[0] + right * corners[1]
    lower = (1 - right) * corners[2] + right * corners[3]
    return (1 - down) * upper + down * lower


def interpolate_noise(config: Config, model: Model) -> np.ndarray:
    """64 images between four noises of one memory slot (fig. 6); without keys between four noises (fig. 1a)."""
    latent = bilinear(draw_latent(config, randomness.key(config.seed, "interpolation/noise"), 4).numpy())
    if not config.samples_slots:
        return generate(model, tf.constant(latent), None)
    state = model.memory.state()
    slot = draw_slots(config, state, randomness.key(config.seed, "interpolation/slot"), 1)
    return generate(model, tf.constant(latent), tf.repeat(tf.gather(state.keys, slot), len(latent), axis=0))


def interpolate_keys(config: Config, model: Model) -> np.ndarray:
    """64 images between four (noise, slot) pairs: keys of the real slots most probable given the keys in between.

    It is meaningless to interpolate slot numbers, and interpolated keys are not the memory's (fig. 1b).
    """
    state = model.memory.state()
    latent = bilinear(draw_latent(config, randomness.key(config.seed, "interpolation/noises"), 4).numpy())
    slots = draw_slots(config, state, randomness.key(config.seed, "interpolation/slots"), 4)
    between = tf.constant(bilinear(tf.gather(state.keys, slots).numpy()))
    nearest = tf.argmax(memory.posterior(state, between) * state.values, axis=1)
    return generate(model, tf.constant(latent), tf.gather(state.keys, nearest))


def explain(config: Config, model: Model, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors of nine real slots given a uint8 image [h, w, c], and what each generates (fig. 3b).

    Returns (slots int [9], p(c | x) [9], images [9, h, w, c]), by falling posterior: the five most probable real
    slots and four others drawn at random.
    """
    state = model.memory.state()
    posterior = memory.posterior(state, tf.constant(queries_of(config, model, image[None])))[0].numpy()
    real = np.flatnonzero(state.values.numpy())
    by_posterior = real[np.argsort(-posterior[real], kind="stable")]
    others = randomness.host_generator(config.seed, "explain").permutation(by_posterior[BEST_SLOTS:])
    slots = np.concatenate([by_posterior[:BEST_SLOTS], others[:SHOWN_SLOTS - BEST_SLOTS]])
    slots = slots[np.argsort(-posterior[slots], kind="stable")]
    latent = draw_latent(config, randomness.key(config.seed, "explain/noise"), len(slots))
    keys = tf.gather(state.keys, slots) if config.samples_slots else None
    return slots, posterior[slots], generate(model, latent, keys)


def nearest_images(config: Config, model: Model, generated: np.ndarray, parts: Iterable[np.ndarray]) -> np.ndarray:
    """uint8 [n, 7, h, w, c]: the real images nearest to each generated uint8 image, by cosine of the queries.

    Args:
      parts: real uint8 images [m, h, w, c], some at a time; only the nearest so far are kept.
    """
    queries = queries_of(config, model, generated)
    rows = np.arange(len(generated))[:, None]
    cosines = np.empty([len(generated), 0], np.float32)
    nearest = np.empty([len(generated), 0, *generated.shape[1:]], np.uint8)
    for real in parts:
        cosines = np.concatenate([cosines, queries @ queries_of(config, model, real).T], axis=1)
        kept = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
        nearest = np.stack([np.concatenate([before, real])[places] for before, places in zip(nearest, kept)])
        cosines = cosines[rows, kept]
    return nearest


def training_images(training: TrainingSet, batch_size: int) -> Iterator[np.ndarray]:
    """The training images of one epoch, uint8 [n, h, w, c] at a time; the original drops what fills no batch."""
    count = training.examples // batch_size
    for start in range(0, count, _AT_ONCE):
        yield np.concatenate(training.batches.take(start, min(_AT_ONCE, count - start))[0])


def to_uint8(config: Config, images: np.ndarray) -> np.ndarray:
    """Generated images -> uint8."""
    return pictures.rounded_pixels(images, config.data.unit_range)


# --- figures ----------------------------------------------------------------------------------------------------------


def prior_chart(priors: dict[int, np.ndarray]) -> pictures.Chart:
    """p(c) of several epochs, sorted, without the slots below the paper's 0.0004."""
    lines = []
    for epoch, prior in priors.items():
        falling = np.sort(prior)[::-1]
        shown = falling[falling >= _LEAST_PRIOR]
        lines.append(pictures.Line(f"epoch {epoch}", range(len(shown)), shown))
    return pictures.Chart(lines, "slots by probability", "p(c)", logarithmic=True)


def posterior_picture(image: np.ndarray, posterior: np.ndarray, generated: np.ndarray) -> bytes:
    """The image, and beside it each slot's posterior over the image that the slot generates, as PNG."""
    def draw(figure):
        axes = figure.subplots(2, len(posterior) + 1, height_ratios=(2, 1))
        for place in axes.flat:
            place.axis("off")
        axes[1, 0].imshow(image, cmap="gray", vmin=0, vmax=255)
        for place, value, drawn in zip(axes.T[1:], posterior, generated):
            place[0].bar([0], [value])
            place[0].set(ylim=(0, posterior.max() * 1.2), title=f"{value:.1e}")
            place[1].imshow(drawn, cmap="gray", vmin=0, vmax=255)

    return pictures.rendered(draw, (10, 2.5), "png")


def _from_logs(logs: Path, directory: Path) -> None:
    """The figures over training, where the run's logs are at hand."""
    likelihood = {}
    for line in log.read(logs / "log.jsonl"):
        likelihood |= line.get("values", {}).get("test_log_likelihood", {})
    if likelihood:
        line = pictures.Line("", [*map(int, likelihood)], [*likelihood.values()])
        _save_chart(directory / "log_likelihood.png",
                    pictures.Chart([line], "iteration", "biased log-likelihood of test images"))
    priors = priors_of(logs, 6)
    if priors:
        _save_chart(directory / "prior.png", prior_chart(priors))


def priors_of(logs: Path, most: int) -> dict[int, np.ndarray]:
    """p(c) float32 [slots] after at most so many epochs, evenly over those that a run's logs have.

    Raises:
      UserError: a file that training did not write.
    """
    by_epoch = numbered(logs / "prior", "epoch_", ".npy")
    return {epoch: _prior(by_epoch[epoch]) for epoch in spread(by_epoch, most)}


def spread(numbers: Iterable[int], most: int) -> list[int]:
    """At most so many of the numbers, ascending, evenly over all."""
    ordered = sorted(numbers)
    return [ordered[place] for place in evenly(len(ordered), most)]


def _prior(path: Path) -> np.ndarray:
    try:
        prior = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    if prior.ndim != 1 or prior.dtype != np.float32 or not len(prior):
        raise UserError(f"{path} holds no probabilities of slots")
    return prior


def _save_chart(path: Path, chart: pictures.Chart) -> None:
    files.write_bytes(path, pictures.line_chart(chart, kind="png", size=(6, 4)))


def run(config: Config, model: Model, command: Command, directory: Path) -> None:
    """Draw every figure that a model has into `directory`.

    Those of the memory's posterior and of the nearest images need the data set, those over training the run's logs.

    Args:
      model: of the checkpoint in `command.load_cp_dir`.
    """
    pictures.save_png(directory / "interpolation_noise.png",
                      pictures.grid(to_uint8(config, interpolate_noise(config, model)), columns=SIDE))
    if config.samples_slots:
        pictures.save_png(directory / "interpolation_keys.png",
                          pictures.grid(to_uint8(config, interpolate_keys(config, model)), columns=SIDE))
    if config.has_memory:
        _from_logs(logs_of(command.load_cp_dir), directory)
        training = data.open_training(config, command.data_dir)
        _draw_with_real(config, model, training, directory)


def _draw_with_real(config: Config, model: Model, training: TrainingSet, directory: Path) -> None:
    """The two figures that compare with real images."""
    if config.samples_slots and tf.reduce_any(model.memory.state().values > 0):
        image = training.batches.take(0, 1)[0][0][0]
        _, posterior, images = explain(config, model, image)
        files.write_bytes(directory / "posterior.png", posterior_picture(image, posterior, to_uint8(config, images)))
    images = to_uint8(config, next(samples.generated(config, model, ROWS)))
    nearest = nearest_images(config, model, images, training_images(training, config.batch_size))
    rows = np.concatenate([images[:, None], nearest], axis=1)
    pictures.save_png(directory / "nearest.png",
                      pictures.grid(rows.reshape(-1, *rows.shape[2:]), columns=NEAREST + 1))
