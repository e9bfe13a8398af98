"""Evaluation of a VAE, during training and after a visit: test ELBO, agreement of student and teacher, result files."""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files
from lvae import lifelong, losses
from lvae.config import Config
from lvae.data import Samples
from lvae.distributions import Course
from lvae.learner import Learner
from lvae.networks import Networks
from lvae.step import Steps

# The original's result files, and the quantities in them.
CSV = {"loss": "loss", "elbo": "elbo", "recon_loss": "log_likelihood", "latent_loss": "latent_kl"}
_LAST = -1  # number of the test at the end of a visit


def batches(config: Config, count: int) -> list[slice]:
    """Rows of a test set in batches; the last one may be smaller. The original drops what does not fill a batch."""
    size = min(config.batch_size, count)
    stop = count // size * size if config.tf1_exact else count
    return [slice(start, min(start + size, stop)) for start in range(0, stop, size)]


def test_batches(config: Config, steps: Steps, samples: Samples, number: int = _LAST) -> list[dict[str, float]]:
    """Means of loss, negative ELBO and its parts over each batch of a test set; `number` selects the noise."""
    found = []
    for index, rows in enumerate(batches(config, len(samples))):
        images = tf.constant(samples.take(rows, config.architecture.input_shape))
        values = steps.test(images, tf.constant(number), tf.constant(index))
        found.append({name: float(value) for name, value in values.items()})
    return found


def over_all(config: Config, count: int, found: list[dict[str, float]]) -> dict[str, float]:
    """The means over a whole test set of `count` images, of those over its batches."""
    sums, seen = {}, 0
    for rows, means in zip(batches(config, count), found, strict=True):
        size = rows.stop - rows.start
        for name, value in means.items():
            sums[name] = sums.get(name, 0.0) + value * size
        seen += size
    means = {name: total / seen for name, total in sums.items()}
    return means | {"bits_per_dim": losses.bits_per_dimension(config, means["elbo"])}


def test(config: Config, steps: Steps, samples: Samples, number: int = _LAST) -> dict[str, float]:
    """The same means over the whole test set."""
    return over_all(config, len(samples), test_batches(config, steps, samples, number))


def summary(means: dict[str, float]) -> str:
    """What the original prints of a test set at the end of a visit."""
    return (f"Loss: {means['loss']:.6f} | ELBO: {means['elbo']:.6f} | "
            f"Reconstruction: {means['log_likelihood']:.6f} | LatentKL: {means['latent_kl']:.6f}")


def consistency_accuracy(config: Config, networks: Networks, samples: Samples) -> float:
    """Share of images that student and teacher put into the same latent class."""
    hits = count = 0
    for rows in batches(config, len(samples)):
        images = tf.constant(samples.take(rows, config.architecture.input_shape))
        student, teacher = (losses.encode(config, vae, images).logits for vae in networks)
        hits += float(lifelong.agreement(student, teacher)) * len(images)
        count += len(images)
    return hits / count


def figures(course: Course, learner: Learner, steps: Steps) -> dict:
    """What `results.json` has of the visit that just ended.

    {"transition": number of the visit, from 1, "distribution": name, "tests": {test set: means}}, and of a sequential
    run also, over the distributions seen so far, {"seen_elbo": mean, "elbo_by_distribution": {name: negative ELBO}}
    and, over those before the present one, {"consistency_accuracy": share}.
    """
    config = learner.config
    result = {"transition": learner.visit + 1,
              "distribution": course.distributions[learner.visited[-1]].name,
              "tests": {prefix: test(config, steps, samples) for prefix, samples in course.tests.items()}}
    if not config.sequential:
        return result
    elbos = {course.distributions[number].name: test(config, steps, course.distributions[number].test)["elbo"]
             for number in dict.fromkeys(learner.visited)}
    result |= {"seen_elbo": float(np.mean(list(elbos.values()))), "elbo_by_distribution": elbos}
    if learner.networks.teacher and learner.visit:
        before = course.test_images(dict.fromkeys(learner.visited[:-1]))
        result["consistency_accuracy"] = consistency_accuracy(config, learner.networks, before)
    return result


def write_results(directory: Path, course: Course, learner: Learner) -> None:
    """Rewrite the original's csv files and `results.json` from all completed visits, whole or not at all.

    The csv files have a line per visit. Where a run began with a loaded model, those of that model's visits are nan.
    """
    models = Path(directory) / "models"
    listed = [(number, course.distributions[number].label) for number in learner.visited]
    files.write_text(models / "class_list.csv", "".join(f"{number:.18e},{label:.18e}\n" for number, label in listed))
    missing = [math.nan] * (len(learner.visited) - len(learner.results))
    for prefix in course.tests:
        for name, quantity in CSV.items():
            values = missing + [result["tests"][prefix][quantity] for result in learner.results]
            files.write_text(models / f"{prefix}test_{name}.csv", "".join(f"{value:.18e}\n" for value in values))
    files.write_json(Path(directory) / "results.json", learner.results)
