"""`--test`: how good the generated images of the learned classes are, by the evaluation classifier and by distances."""

import re
import time
from pathlib import Path
from typing import Callable

import numpy as np
import tensorflow as tf

from lib import device, files, pictures, randomness, tf1
from lib.classifiers import inception, pretrained, real_images
from lib.classifiers.features import Extractor, as_float, batches, classifier_features, to_input
from lib.data.batching import evenly
from lib.errors import UserError
from lib.mergan.checkpoint import last_prefix, restore
from lib.mergan.config import Config, Measured
from lib.mergan.data import data_set
from lib.mergan.methods import name_of
from lib.mergan.networks import Networks, networks_of
from lib.mergan.noise import draw_latent
from lib.mergan.samples import Samples, samples_of
from lib.metrics import forgetting, frechet, reverse_accuracy
from lib.run import log, provenance

_REPEATS = 100  # batches per class
_SOLVER_SAMPLES = 500  # generated images for each class
_CLEAR = 0.9  # of the evaluation classifier's probability
_REVERSE_LIMIT = 10_000  # generated images of a class: as many as lsun has real ones would take 20 GB


def _predictor(samples: Samples, classifier, learned: int):
    """(noise, labels) -> (classes that the images stand for, predicted ones), both int [n].

    The generator's batch norm takes the statistics of this very batch.
    """
    @device.graph
    def predict(noise, labels):
        images = samples.generator(noise, labels)
        predicted = tf.argmax(classifier(pictures.to_classifier_input(images)), axis=-1)
        return samples.classes_of(images, labels, learned), predicted

    return predict


def recognised(samples: Samples, classifier, task: int, repeats: int = _REPEATS) -> tuple[np.ndarray, np.ndarray]:
    """Whether the classifier sees in each generated image the class that it stands for.

    Args:
      repeats: batches of `samples.batch_size` images, as far as classes are generated apart of each class.

    Returns:
      the images' classes int32 [batches, n] and bool [batches, n].
    """
    numbers = np.asarray(samples.config.data.classifier_classes)
    predict = _predictor(samples, classifier, samples.learned(task))
    classes, hits = [], []
    for label, counters in samples.rounds(task, repeats):
        noise = draw_latent(randomness.key(samples.config.seed, "test", *counters), samples.batch_size)
        labels, predicted = predict(noise, samples.asked(label, samples.batch_size))
        classes.append(labels.numpy())
        hits.append(predicted.numpy() == numbers[classes[-1]])
    return np.stack(classes), np.stack(hits)


def _share(hits: np.ndarray) -> float:
    """Of all of them, 0 if there are none."""
    return float(np.mean(hits)) if len(hits) else 0.0


def class_accuracies(classes: np.ndarray, hits: np.ndarray, learned: int) -> list[float]:
    """Share of recognised images of each class; 0 for one that no image stands for."""
    return [_share(hits[classes == label]) for label in range(learned)]


def labelled_samples(samples: Samples, task: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Generated images float32 [n, h, w, c] in [-1, 1] and the class int32 [n] each stands for.

    `per_class` of every class learned up to `task`, from batches as `--test` uses them; where the generator is not told
    the class, as many in all.
    """
    generate, learned, size = device.graph(samples.generator), samples.learned(task), samples.batch_size
    images, classes = [], []
    for label, share in samples.shares(learned):
        count, asked = share * per_class, samples.asked(label, size)
        drawn = [generate(draw_latent(randomness.key(samples.config.seed, "samples", task, label, batch), size), asked)
                 for batch in range(-(-count // size))]
        images.append(np.concatenate(drawn)[:count])
        classes.append(np.concatenate([samples.classes_of(batch, asked, learned) for batch in drawn])[:count])
    return np.concatenate(images), np.concatenate(classes)


class Evaluation:
    """The measures of one run, task by task."""

    def __init__(self, config: Config, networks: Networks, data_dir: str, measured: Measured):
        if "solver" in measured.metrics and not config.generative_replay:
            raise UserError("--metrics=solver: only a run with --DGR has a solver; leave it out")
        self._config, self._samples = config, samples_of(config, networks)
        self._dataset = data_set(config, data_dir)
        self.classifier = pretrained.evaluation_classifier(self._dataset, data_dir)
        self._measures: list[Callable[[int], dict]] = [
            {"accuracy": self.accuracy, "reverse_accuracy": self.reverse_accuracy, "fid": self.distance,
             "solver": self.solver}[name] for name in measured.metrics]
        if set(measured.metrics) - {"accuracy"}:
            self._real = real_images.load(self._dataset, "test", data_dir)
        if set(measured.metrics) & {"reverse_accuracy", "fid"}:
            self._train = real_images.load(self._dataset, "train", data_dir)
        if "fid" in measured.metrics:
            self._extractor = self._features(measured.inception_weights)

    def run(self, task: int) -> dict:
        """All measures after a task, printed and by name."""
        values = {"task": task + 1}
        for measure in self._measures:
            values |= measure(task)
        return values

    def accuracy(self, task: int) -> dict:
        """The share of recognised images in 0..1, printed as the original does."""
        classes, hits = recognised(self._samples, self.classifier, task)
        if not self._samples.by_class:
            average = float(np.mean([np.mean(batch) for batch in hits]))
            print(f"Task: {task + 1}   All classes accuracy: {average}", flush=True)
            return {"average_accuracy": average}
        by_class = dict(zip(self._config.data.classes, class_accuracies(classes, hits, self._samples.learned(task))))
        for name, accuracy in by_class.items():
            print(f"Task: {task + 1}   Class: {name}   Accuracy: {accuracy}")
        average = float(np.mean(list(by_class.values())))
        print(f"Average accuracy: {average}", flush=True)
        return {"accuracy": by_class, "average_accuracy": average}

    def reverse_accuracy(self, task: int) -> dict:
        """Of a classifier trained on generated images, on real images of the learned classes."""
        config = self._config
        per_class = min(len(self._train.labels) // len(config.data.classes), _REVERSE_LIMIT)
        images, labels = labelled_samples(self._samples, task, per_class)
        real, real_labels = self._real_of(task)
        value = reverse_accuracy.reverse_accuracy(self._dataset, images, self._numbers(task)[labels], real, real_labels,
                                                  seed=config.seed)
        print(f"Task: {task + 1}   Reverse accuracy: {value}", flush=True)
        return {"reverse_accuracy": value}

    def distance(self, task: int) -> dict:
        """Between the real test images of the learned classes and as many generated ones.

        Beside it stands what it depends on, with what as many real images of the training set get.
        """
        real, _ = self._real_of(task)
        per_class = len(real) // self._samples.learned(task)
        generated, _ = labelled_samples(self._samples, task, per_class)
        rows = self._training_rows(task, per_class)
        target = frechet.image_moments(self._extractor, batches(real))
        result, known = (
            frechet.between(self._extractor, target, frechet.image_moments(self._extractor, images))
            for images in (batches(generated), (self._train.images[part] for part in batches(rows))))
        print(f"Task: {task + 1}   {result.name}: {result.distance}   ({result.circumstances}; {known.generated} real "
              f"training images get {known.distance:.4g})", flush=True)
        return {result.name: result.distance, "fid": {
            "real_images": result.real, "generated_images": result.generated, "features": result.features,
            "distance_of_real_training_images": known.distance, "real_training_images": known.generated}}

    def solver(self, task: int) -> dict:
        """What the classifier of deep generative replay knows, apart from what its generator draws.

        {"solver": {"real_accuracy": {class: share of its real test images labelled right}; of generated images
        "labelled" and "judged": {class: share that the solver, the evaluation classifier takes for it}, "clear": share
        of which the latter is sure, "clear_accuracy": share of those that both take for the same class,
        "clear_accuracy_of": {class: the same of those that the classifier takes for it, 0 if there are none}}}.
        """
        numbers, (real, real_numbers) = self._numbers(task), self._real_of(task)
        images, labels = labelled_samples(self._samples, task, _SOLVER_SAMPLES)
        found = np.concatenate([self._samples.classes_of(as_float(part), None, len(numbers)) for part in batches(real)])
        right = numbers[found] == real_numbers
        beliefs = np.concatenate([tf.nn.softmax(self.classifier(to_input(part))) for part in batches(images)])
        judged, clear = np.argmax(beliefs, axis=1), np.max(beliefs, axis=1) > _CLEAR
        agree = numbers[labels[clear]] == judged[clear]
        learned = [*zip(self._config.data.classes, numbers)]
        figures = {"clear": float(np.mean(clear)), "clear_accuracy": _share(agree),
                   "clear_accuracy_of": {name: _share(agree[judged[clear] == number]) for name, number in learned},
                   "real_accuracy": {name: float(np.mean(right[real_numbers == number])) for name, number in learned},
                   "labelled": {name: float(np.mean(numbers[labels] == number)) for name, number in learned},
                   "judged": {name: float(np.mean(judged == number)) for name, number in learned}}
        average = np.mean(list(figures["real_accuracy"].values()))
        print(f"Task: {task + 1}   Solver: {average:.4f} of real images right, {figures['clear_accuracy']:.4f} of the "
              f"clear ones ({figures['clear']:.4f}) among the generated", flush=True)
        return {"solver": figures}

    def _features(self, inception_weights: str) -> Extractor:
        """Of Inception-v3 where asked for and, as in the paper, for lsun if they can be had; else the classifier's."""
        dataset = self._config.dataset
        found = None
        if inception_weights or dataset == "lsun":
            found = inception.if_had(inception.features, inception_weights, "FID takes the classifier's features")
        return found or classifier_features(self.classifier, dataset)

    def _numbers(self, task: int) -> np.ndarray:
        """The evaluation classifier's number of each class learned up to a task."""
        return np.asarray(self._config.data.classifier_classes[:self._samples.learned(task)], np.int32)

    def _training_rows(self, task: int, per_class: int) -> np.ndarray:
        """Of at most so many training images of each learned class, evenly over all of them."""
        of_class = [np.flatnonzero(self._train.labels == number) for number in self._numbers(task)]
        return np.concatenate([rows[evenly(len(rows), per_class)] for rows in of_class])

    def _real_of(self, task: int) -> tuple[np.ndarray, np.ndarray]:
        learned = np.isin(self._real.labels, self._numbers(task))
        return self._real.images[np.flatnonzero(learned)], self._real.labels[learned]


def accuracy_matrix(tasks: list[dict]) -> list[list[float | None]] | None:
    """Accuracy of each class (column) after each task (row), None for a class not learned yet.

    None where a task was not tested, or not class by class.
    """
    rows = [list(entry.get("accuracy", {}).values()) for entry in tasks]
    if [len(row) for row in rows] != list(range(1, len(tasks) + 1)):
        return None
    return [row + [None] * (len(rows) - len(row)) for row in rows]


def add_forgetting(tasks: list[dict]) -> dict:
    """{"accuracy_matrix": ...} where there is one; then each task but the first gets what the old classes lost by it,
    which is printed of the last."""
    rows = accuracy_matrix(tasks)
    if rows is None:
        return {}
    matrix = np.array(rows, float)
    for count, entry in enumerate(tasks[1:], 2):
        learned = matrix[:count, :count]
        entry |= {"forgetting": forgetting.forgetting(learned),
                  "backward_transfer": forgetting.backward_transfer(learned)}
    if len(tasks) > 1:
        print(f"After {len(tasks)} tasks: average accuracy {forgetting.average_accuracy(matrix):.4f}, forgetting "
              f"{tasks[-1]['forgetting']:.4f}, backward transfer {tasks[-1]['backward_transfer']:.4f}", flush=True)
    return {"accuracy_matrix": rows}


def _load(directory: Path, config: Config, networks: Networks, task: int) -> None:
    prefix = last_prefix(directory, config, task)
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


def _flat(entry: dict) -> dict[str, float]:
    """The figures of a tested task by name, as "accuracy/7"."""
    by_class = {f"accuracy/{name}": value for name, value in entry.get("accuracy", {}).items()}
    return by_class | {name: value for name, value in entry.items() if name != "task" and isinstance(value, float)}


def run(config: Config, directory: Path, data_dir: str, measured: Measured = Measured()) -> dict:
    """Print the measures as the original does and write them to `metrics.json` in `directory`.

    Reads what this program or the TF1 program wrote. Returns the metrics: per tested task, the accuracy of each class
    and their unweighted mean, in 0..1, and what else `measured` asks for; where every task was tested, what was
    forgotten. A joint training has one checkpoint, which the original evaluates under the number of each tested task.
    """
    began, networks = time.time(), networks_of(config)
    tested = range(config.tasks) if measured.every_task and not config.joint else config.tested_tasks
    _load(directory, config, networks, tested[0])  # first, as a classifier may take minutes to train
    evaluation = Evaluation(config, networks, data_dir, measured)
    print("build model started")
    tasks = []
    for task in tested:
        if task != tested[0]:
            _load(directory, config, networks, task)
        tasks.append(evaluation.run(task))
    metrics = {"dataset": config.dataset, "iterations": config.iterations, "seed": config.seed, "tasks": tasks,
               "classifier": pretrained.about(evaluation.classifier), **add_forgetting(tasks),
               "method": name_of(vars(config)),
               "provenance": provenance.here(device.described(), began), "training": provenance.of_run(directory)}
    files.write_json(Path(directory) / "metrics.json", metrics)
    log.write_tested(directory, {entry["task"]: _flat(entry) for entry in tasks})
    return metrics
