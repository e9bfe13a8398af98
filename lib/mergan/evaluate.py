"""`--test`: how good the generated images of the learned classes are, by the evaluation classifier and by distances."""

import re
from pathlib import Path
from typing import Callable

import numpy as np
import tensorflow as tf

from lib import files, pictures, randomness, tf1
from lib.classifiers import inception, pretrained, real_images
from lib.classifiers.features import Extractor, batches, classifier_features
from lib.errors import UserError
from lib.mergan.command_line import Measured
from lib.mergan.config import Config
from lib.mergan.networks import Networks, build_networks
from lib.mergan.step import draw_latent, restore
from lib.mergan.train import model_prefix
from lib.metrics import frechet, reverse_accuracy

_REPEATS = 100  # batches per class
_JOINT_BATCH = 100
_REVERSE_LIMIT = 10_000  # generated images of a class: as many as lsun has real ones would take 20 GB


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
    """Share of recognised images in batches of all classes, as many of each."""
    predict = _predictor(generator, classifier)
    classes = len(config.data.classes)
    labels = tf.tile(tf.range(classes), [_JOINT_BATCH // classes])
    expected = np.asarray(config.data.classifier_classes)[labels.numpy()]
    hits = [predict(draw_latent(randomness.key(config.seed, "test", task, repeat), _JOINT_BATCH), labels).numpy()
            == expected for repeat in range(repeats)]
    return float(np.mean([np.mean(batch) for batch in hits]))


def labelled_samples(config: Config, networks: Networks, task: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Generated images float32 [n, h, w, c] in [-1, 1] and the class int32 [n] each stands for.

    `per_class` of every class learned up to `task`, from batches as `--test` uses them: of one class, or of all in
    joint training. Under deep generative replay as many in all, each of the class that its own solver sees in it.
    """
    generate = tf.function(lambda noise, labels: networks.generator(noise, labels))

    def images_of(count: int, size: int, label: int, asked) -> np.ndarray:
        drawn = [generate(draw_latent(randomness.key(config.seed, "samples", task, label, batch), size), asked)
                 for batch in range(-(-count // size))]
        return np.concatenate(drawn)[:count]

    if config.joint:
        classes = len(config.data.classes)
        asked = np.arange(_JOINT_BATCH, dtype=np.int32) % classes
        images = images_of(per_class * classes, _JOINT_BATCH, 0, asked)
        return images, np.resize(asked, len(images))
    if config.generative_replay:
        images = images_of(per_class * (task + 1), config.batch_size, 0, tf.zeros([config.batch_size], tf.int32))
        seen = [networks.solver(part).logits[:, :task + 1] for part in batches(images)]
        return images, np.argmax(np.concatenate(seen), axis=1).astype(np.int32)
    images = [images_of(per_class, config.batch_size, label, tf.fill([config.batch_size], label))
              for label in range(task + 1)]
    return np.concatenate(images), np.repeat(np.arange(task + 1, dtype=np.int32), per_class)


class Evaluation:
    """The measures of one run, task by task."""

    def __init__(self, config: Config, networks: Networks, data_dir: str, measured: Measured):
        self._config, self._networks = config, networks
        self._classifier = pretrained.evaluation_classifier(config.dataset, data_dir)
        self._measures: list[Callable[[int], dict]] = [
            {"accuracy": self.accuracy, "reverse_accuracy": self.reverse_accuracy, "fid": self.distance}[name]
            for name in measured.metrics]
        if set(measured.metrics) - {"accuracy"}:
            self._real = real_images.load(config.dataset, "test", data_dir)
            self._train_size = len(real_images.load(config.dataset, "train", data_dir).labels)
        if "fid" in measured.metrics:
            self._extractor = self._features(measured.inception_weights)

    def run(self, task: int) -> dict:
        """All measures after a task, printed and by name."""
        values = {"task": task + 1}
        for measure in self._measures:
            values |= measure(task)
        return values

    def accuracy(self, task: int) -> dict:
        """Printed as the original does."""
        config = self._config
        if config.joint:
            accuracy = joint_accuracy(config, self._networks.generator, self._classifier, task)
            print(f"Task: {task + 1}   All classes accuracy: {accuracy}", flush=True)
            return {"average_accuracy": accuracy}
        accuracies = solver_accuracies(config, self._networks, self._classifier, task) if config.generative_replay \
            else class_accuracies(config, self._networks.generator, self._classifier, task)
        for name, accuracy in zip(config.data.classes, accuracies):
            print(f"Task: {task + 1}   Class: {name}   Accuracy: {accuracy}")
        average = float(np.mean(accuracies))
        print(f"Average accuracy: {average}", flush=True)
        return {"accuracy": dict(zip(config.data.classes, accuracies)), "average_accuracy": average}

    def reverse_accuracy(self, task: int) -> dict:
        """Of a classifier trained on generated images, on real images of the learned classes."""
        config = self._config
        per_class = min(self._train_size // len(config.data.classes), _REVERSE_LIMIT)
        images, labels = labelled_samples(config, self._networks, task, per_class)
        real, real_labels = self._real_of(task)
        value = reverse_accuracy.reverse_accuracy(config.dataset, images, self._numbers()[labels], real, real_labels,
                                                  seed=config.seed)
        print(f"Task: {task + 1}   Reverse accuracy: {value}", flush=True)
        return {"reverse_accuracy": value}

    def distance(self, task: int) -> dict:
        """Between the real test images of the learned classes and as many generated ones."""
        real, _ = self._real_of(task)
        generated, _ = labelled_samples(self._config, self._networks, task, len(real) // self._classes(task))
        result = frechet.fid(self._extractor, batches(real), batches(generated))
        print(f"Task: {task + 1}   {result.name}: {result.distance}", flush=True)
        return {result.name: result.distance}

    def _features(self, inception_weights: str) -> Extractor:
        """Of Inception-v3 where asked for and, as in the paper, for lsun if they can be had; else the classifier's."""
        dataset = self._config.dataset
        if inception_weights or dataset == "lsun":
            try:
                return inception.features(inception_weights or None)
            except UserError as error:
                if inception_weights:
                    raise
                print(f"FID takes the classifier's features ({error})", flush=True)
        return classifier_features(self._classifier, dataset)

    def _classes(self, task: int) -> int:
        return len(self._config.data.classes) if self._config.joint else task + 1

    def _numbers(self) -> np.ndarray:
        """The evaluation classifier's number of each label."""
        return np.asarray(self._config.data.classifier_classes, np.int32)

    def _real_of(self, task: int) -> tuple[np.ndarray, np.ndarray]:
        learned = np.isin(self._real.labels, self._numbers()[:self._classes(task)])
        return self._real.images[np.flatnonzero(learned)], self._real.labels[learned]


def _load(directory: Path, config: Config, networks: Networks, task: int) -> None:
    prefix = model_prefix(directory, config, task, config.iterations - 1)
    if not tf1.exists(prefix):
        raise UserError(f"no checkpoint {prefix}; {_what_there_is(prefix)}")
    restore(prefix, config, networks)


def _what_there_is(prefix: Path) -> str:
    stem = re.sub(r"\d+$", "", prefix.name)
    found = sorted(int(path.stem.rpartition("-")[2]) for path in prefix.parent.glob(f"{stem}*.index")
                   if path.stem.rpartition("-")[2].isdigit())
    if found:
        return f"it holds iteration {', '.join(map(str, found))}: use --iters {found[-1] + 1}"
    return "train it first, with the same --dataset, or give the path that training wrote (result/...)"


def run(config: Config, directory: Path, data_dir: str, measured: Measured = Measured()) -> dict:
    """Print the measures as the original does and write them to `metrics.json` in `directory`.

    Reads what this program or the TF1 program wrote. Returns the metrics: per tested task, the accuracy of each class
    and their unweighted mean, in 0..1, and what else `measured` asks for. A joint training has one checkpoint, which
    the original evaluates under the number of each tested task.
    """
    networks = build_networks(config.data, replay=not config.joint, solver=config.generative_replay,
                              dtype=config.precision)
    tested = range(config.tasks) if measured.every_task and not config.joint else config.tested_tasks
    _load(directory, config, networks, tested[0])  # first, as a classifier may take minutes to train
    evaluation = Evaluation(config, networks, data_dir, measured)
    print("build model started")
    tasks = []
    for task in tested:
        if task != tested[0] and not config.joint:
            _load(directory, config, networks, task)
        tasks.append(evaluation.run(task))
    metrics = {"dataset": config.dataset, "iterations": config.iterations, "seed": config.seed, "tasks": tasks}
    files.write_json(Path(directory) / "metrics.json", metrics)
    return metrics
