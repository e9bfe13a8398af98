"""`--test`: how many generated images of each learned class the evaluation classifier recognises."""

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files, randomness, tf1
from lib import images as pictures
from lib.errors import UserError
from lib.metrics import pretrained
from lib.mergan.config import LABELS, Config
from lib.mergan.networks import Networks, build_networks
from lib.mergan.step import build_optimizers, checkpoint_variables, draw_latent
from lib.mergan.train import model_prefix

_REPEATS = 100  # batches per class
_JOINT_BATCH = 100


def _predictor(generator, classifier):
    """(noise, labels) -> predicted classes; the batch norm's statistics are those of this very batch."""

    @tf.function
    def predict(noise, labels):
        return tf.argmax(classifier(pictures.to_classifier_input(generator(noise, labels))), axis=-1)

    return predict


def class_accuracies(config: Config, generator, classifier, task: int, repeats: int = _REPEATS) -> list[float]:
    """Share of recognised images for each class learned up to `task`: the mean over batches of 64."""
    predict = _predictor(generator, classifier)
    accuracies = []
    for label in range(task + 1):
        labels = tf.fill([config.batch_size], label)
        expected = config.data.classifier_classes[label]
        hits = [predict(draw_latent(randomness.key(config.seed, "test", task, label, repeat), config.batch_size),
                        labels).numpy() == expected for repeat in range(repeats)]
        accuracies.append(float(np.mean([np.mean(batch) for batch in hits])))
    return accuracies


def solver_accuracies(config: Config, networks: Networks, classifier, task: int, repeats: int = _REPEATS
                      ) -> list[float]:
    """The same for deep generative replay, whose images have the category that its own solver sees in them.

    A class that the solver never sees has accuracy 0.
    """
    @tf.function
    def judge(noise):
        images = networks.generator(noise, tf.zeros([config.batch_size], tf.int32))
        categories = tf.argmax(networks.solver(images).logits[:, :task + 1], axis=-1)
        return categories, tf.argmax(classifier(pictures.to_classifier_input(images)), axis=-1)

    keys = [randomness.key(config.seed, "test", task, repeat) for repeat in range(repeats * (task + 1))]
    judged = [judge(draw_latent(key, config.batch_size)) for key in keys]
    categories, recognised = (np.concatenate(part) for part in zip(*judged))
    hits = recognised == np.asarray(config.data.classifier_classes)[categories]
    return [float(np.mean(hits[categories == label])) if np.any(categories == label) else 0.0
            for label in range(task + 1)]


def joint_accuracy(config: Config, generator, classifier, task: int, repeats: int = _REPEATS) -> float:
    """Share of recognised images in batches of ten of every class."""
    predict = _predictor(generator, classifier)
    labels = tf.tile(tf.range(LABELS), [_JOINT_BATCH // LABELS])
    expected = np.asarray(config.data.classifier_classes + (0,) * LABELS)[labels.numpy()]
    hits = [predict(draw_latent(randomness.key(config.seed, "test", task, repeat), _JOINT_BATCH), labels).numpy()
            == expected for repeat in range(repeats)]
    return float(np.mean([np.mean(batch) for batch in hits]))


def _load(directory: Path, config: Config, networks: Networks, task: int) -> None:
    prefix = model_prefix(directory, config, task, config.iterations - 1)
    if not tf1.exists(prefix):
        raise UserError(f"no checkpoint {prefix}; {_what_there_is(prefix)}")
    tf1.assign(prefix, checkpoint_variables(config, networks, build_optimizers(config, networks)))


def _what_there_is(prefix: Path) -> str:
    stem = re.sub(r"\d+$", "", prefix.name)
    found = sorted(int(path.stem.rpartition("-")[2]) for path in prefix.parent.glob(f"{stem}*.index")
                   if path.stem.rpartition("-")[2].isdigit())
    if found:
        return f"it holds iteration {', '.join(map(str, found))}: use --iters {found[-1] + 1}"
    return "train it first, with the same --dataset, or give the path that training wrote (result/...)"


def run(config: Config, directory: Path, data_dir: str) -> dict:
    """Print the accuracies as the original does and write them to `metrics.json` in `directory`.

    Reads what this program or the TF1 program wrote. Returns the metrics: per tested task, the accuracy of each class
    and their unweighted mean, in 0..1.
    """
    networks = build_networks(config.data, replay=not config.joint, solver=config.generative_replay,
                              dtype=config.precision)
    first = 0 if config.joint else config.data.tested_tasks[0]
    _load(directory, config, networks, first)
    classifier = pretrained.evaluation_classifier(config.dataset, data_dir)
    print("build model started")
    tasks = _test_joint(config, directory, networks, classifier) if config.joint else \
        _test_tasks(config, directory, networks, classifier)
    metrics = {"dataset": config.dataset, "iterations": config.iterations, "seed": config.seed, "tasks": tasks}
    files.write_json(Path(directory) / "metrics.json", metrics)
    return metrics


def _test_tasks(config, directory, networks, classifier) -> list[dict]:
    results = []
    for task in config.data.tested_tasks:
        _load(directory, config, networks, task)
        accuracies = solver_accuracies(config, networks, classifier, task) if config.generative_replay else \
            class_accuracies(config, networks.generator, classifier, task)
        for name, accuracy in zip(config.data.classes, accuracies):
            print(f"Task: {task + 1}   Class: {name}   Accuracy: {accuracy}")
        average = float(np.mean(accuracies))
        print(f"Average accuracy: {average}", flush=True)
        results.append({"task": task + 1, "accuracy": dict(zip(config.data.classes, accuracies)),
                        "average_accuracy": average})
    return results


def _test_joint(config, directory, networks, classifier) -> list[dict]:
    """The original evaluates its one checkpoint under the number of each tested task."""
    _load(directory, config, networks, 0)
    results = []
    for task in config.data.tested_tasks:
        accuracy = joint_accuracy(config, networks.generator, classifier, task)
        print(f"Task: {task + 1}   All classes accuracy: {accuracy}", flush=True)
        results.append({"task": task + 1, "average_accuracy": accuracy})
    return results
