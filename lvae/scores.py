"""Figures of a VAE while it is trained: test ELBO, agreement of student and teacher, the original's result files."""

from pathlib import Path

import tensorflow as tf

from lib import files
from lvae import lifelong, losses
from lvae.config import Config
from lvae.data import Samples
from lvae.learner import Learner
from lvae.networks import Networks
from lvae.step import Steps

# The original's result files, and the quantities in them.
CSV = {"loss": "loss", "elbo": "elbo", "recon_loss": "log_likelihood", "latent_loss": "latent_kl"}


def batches(config: Config, count: int) -> list[slice]:
    """Rows of a test set in batches; the last one may be smaller. The original drops what does not fill a batch."""
    size = min(config.batch_size, count)
    stop = count // size * size if config.tf1_exact else count
    return [slice(start, min(start + size, stop)) for start in range(0, stop, size)]


def test(config: Config, steps: Steps, samples: Samples, number: int) -> dict[str, float]:
    """Means of loss, negative ELBO and its parts over a test set; `number` selects the noise."""
    sums, count = {}, 0
    for index, rows in enumerate(batches(config, len(samples))):
        images = tf.constant(samples.take(rows, config.architecture.input_shape))
        values = steps.test(images, tf.constant(number), tf.constant(index))
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(images)
        count += len(images)
    means = {name: total / count for name, total in sums.items()}
    return means | {"bits_per_dim": losses.bits_per_dimension(config, means["elbo"])}


def consistency_accuracy(config: Config, networks: Networks, samples: Samples) -> float:
    """Share of images that student and teacher put into the same latent class."""
    hits = 0.0
    for rows in batches(config, len(samples)):
        images = tf.constant(samples.take(rows, config.architecture.input_shape))
        student, teacher = (losses.encode(config, vae, images).logits for vae in networks)
        hits += float(lifelong.agreement(student, teacher)) * len(images)
    return hits / sum(rows.stop - rows.start for rows in batches(config, len(samples)))


def write_results(directory: Path, course, learner: Learner) -> None:
    """Rewrite the original's csv files from all completed distributions, whole or not at all."""
    models = Path(directory) / "models"
    listed = [f"{entry},{course.distributions[entry].label}" for entry in learner.entries]
    files.write_text(models / "class_list.csv", "\n".join(listed) + "\n")
    for prefix in course.tests:
        for name, quantity in CSV.items():
            values = [result["tests"][prefix][quantity] for result in learner.results]
            files.write_text(models / f"{prefix}test_{name}.csv", "".join(f"{value:.18e}\n" for value in values))
    files.write_json(Path(directory) / "results.json", learner.results)
