"""Topic `classifiers`: the evaluation classifiers, and the whole of `--test` with injected noise and weights."""

import contextlib
import io
import re
import tempfile
import types
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

from lib import pictures
from lib.classifiers import networks, pretrained
from lib.mergan import evaluate, samples
from lib.mergan.checkpoint import model_prefix
from lib.mergan.config import DATASETS, Config
from lib.mergan.networks import tf1_names
from tests.golden import records
from tests.golden.mergan import common
from tests.golden.records import Comparison

# The original's arrays are int64 there, the port's float32 as the classifiers take them.
SETTINGS = common.SETTINGS | {"generator_output_key", "overwritten_elements", "repeat", "runs_identical_in_tf14",
                              "dtype"}


def compare(case):
    return _classification(case) if "generator_output_key" in case.settings else _test(case)


def _classifier(document, dataset: str):
    classifier = networks.build_classifier(dataset)
    common.inject(networks.tf1_names(classifier), common.weights(document, f"classifier_{dataset}"))
    return classifier


def _checkpoint_path(dataset: str) -> str:
    return f"pretrain/{pretrained._ORIGINALS[dataset]}"


def _as_recorded(images) -> np.ndarray:
    """NHWC without axes of length 1 but the first, as the original feeds its classifiers."""
    images = np.asarray(images)
    return images[..., 0] if images.shape[-1] == 1 else images


def _classification(case):
    settings = case.settings
    dataset = settings["variables"].removeprefix("classifier_")
    key = settings["generator_output_key"]
    generated = common.draw(key, settings["inputs"][key])
    for index, value in settings["overwritten_elements"].items():
        generated[tuple(map(int, re.findall(r"\d+", index)))] = value
    seen = pictures.to_classifier_input(common.to_nhwc(generated, DATASETS[dataset]))
    classifier = _classifier(case.document, dataset)
    logits = classifier(seen)
    yield from case.outputs({"classifier_input": _as_recorded(seen), "logits": logits, "prob": tf.nn.softmax(logits)})
    numbers = {"all_logits": (logits.numpy(), records.OUTPUTS),
               "predicted": (np.argmax(logits, axis=1), records.EXACT),
               "checkpoint_path": ([_checkpoint_path(dataset)], records.EXACT),
               "restored_variables": (list(networks.tf1_names(classifier)), records.EXACT)}
    for name, (ours, tolerance) in numbers.items():
        yield Comparison(f"{case.name} predictions", ("cases", case.name, name), ours, tolerance)


def _as_printed(ours: list[str], theirs: list[str]) -> list[str]:
    """Theirs, where ours are the same lines with their numbers written as Python 2 writes them, to 12 digits."""
    def shortened(lines):
        return [re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.12g}", line) for line in lines]

    return theirs if shortened(ours) == shortened(theirs) else ours


class _Recording:
    """Runs `--test` with a case's weights and noise, and keeps what it generates and predicts.

    An evaluation finds in the generator the weights of its checkpoint file, the n-th of all different ones.
    """

    def __init__(self, case, dataset: str, joint: bool):
        self._case, self._document = case, case.document
        self._table = case.document["variables"][f"generator_{dataset}"]
        self._template = next(iter(case.settings["inputs"]))
        _, *files = case.settings["checkpoint_files"]  # the classifier's comes first
        self._files, self._evaluated_files = list(dict.fromkeys(files)), iter(files)
        self._joint, self._run = joint, None
        self.images, self.predictions = {}, {}

    def patches(self, classifier) -> dict:
        return {"_load": lambda *_: None,
                "_predictor": self._recorded(evaluate._predictor),
                "recognised": self._evaluated(evaluate.recognised),
                "randomness": types.SimpleNamespace(key=lambda seed, stream, *counters: counters),
                "draw_latent": self._noise,
                "pretrained": types.SimpleNamespace(evaluation_classifier=lambda *_: classifier, about=lambda _: {})}

    def _evaluated(self, recognised):
        def evaluated(samples, classifier, task):
            number = self._files.index(next(self._evaluated_files))
            values = records.weights(f"{self._document['prefix']}/ckpt{number}", self._table)
            common.inject(tf1_names(samples.generator, "New.Generator"), values)
            return recognised(samples, classifier, task, repeats=self._case.settings["repeat"])

        return evaluated

    def _recorded(self, predictor):
        def make(samples, classifier, learned):
            predict = predictor(samples, classifier, learned)

            def recorded(noise, labels):
                classes, predicted = predict(noise, labels)
                self.images[self._run] = samples.generator(noise, labels).numpy()
                self.predictions[self._run] = predicted.numpy()
                return classes, predicted

            return recorded

        return make

    def _noise(self, counters, batch: int):
        names = ("t", "r") if self._joint else ("t", "l", "r")
        key = self._template.format(**dict(zip(names, counters, strict=True)))
        self._run = re.search(r"/noise/test/(.*)/test$", key)[1]
        return tf.constant(common.draw(key, self._case.settings["inputs"][self._template]))


def _test(case):
    settings, path = case.settings, ("cases", case.name)
    joint, dataset = "joint" in case.name, next(name for name in DATASETS if case.name.endswith(name))
    files = settings["checkpoint_files"]
    iterations = int(files[-1].rpartition("-")[2]) + 1
    # Joint training's batch is that of the test alone.
    options = {"joint": True} if joint else {"batch_size": settings["batch"]}
    config = Config(dataset, iterations, **options)
    recording, printed = _Recording(case, dataset, joint), io.StringIO()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(printed), \
            mock.patch.object(samples, "JOINT_BATCH", settings["batch"]), \
            mock.patch.multiple(evaluate, **recording.patches(_classifier(case.document, dataset))):
        evaluate.run(config, Path(directory), data_dir="")
    lines = [line for line in printed.getvalue().splitlines() if line.startswith(("Task:", "Average"))]
    for name in ("printed", "printed_tf14"):
        if settings.get(name):
            yield Comparison(f"{case.name} printed", (*path, name), _as_printed(lines, settings[name]),
                             records.EXACT)
    prefixes = [str(model_prefix(Path(files[-1]).parents[1], config, task, iterations - 1))
                for task in config.data.tested_tasks]
    yield Comparison(f"{case.name} printed", (*path, "checkpoint_files"), [_checkpoint_path(dataset), *prefixes],
                     records.EXACT)
    for run, predicted in recording.predictions.items():
        yield Comparison(f"{case.name} predictions", (*path, "predictions", run),
                         "".join(map(str, predicted)), records.EXACT)
    for run, images in recording.images.items():
        seen = pictures.to_classifier_input(images).numpy()
        yield Comparison(f"{case.name} predictions", (*path, "integer_range", run),
                         [int(seen.min()), int(seen.max())], records.EXACT)
    yield Comparison(f"{case.name} predictions", (*path, "input", "shape"), list(_as_recorded(seen).shape),
                     records.EXACT)
    yield from case.outputs({f"samples/test/{run}": common.to_rows(images)
                             for run, images in recording.images.items()})
