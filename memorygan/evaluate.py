"""`--is_train=False`: the samples of a checkpoint, and what they are worth."""

import functools
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import device, files, pictures
from lib.classifiers import inception, pretrained, real_images
from lib.classifiers.features import Extractor, batches
from lib.classifiers.networks import residual_network
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import JUDGES, Judge, Recipe
from lib.data import own
from lib.metrics.inception_score import SPLITS, inception_score
from lib.run import provenance
from memorygan import checkpoint, data, memory
from memorygan.config import SCORED, Command, Config, Measured, logs_of
from memorygan.samples import generated, sample_picture
from memorygan.step import Model, build_model


def samples_directory(load_cp_dir: Path) -> Path:
    """`samples/<load_cp_dir>` as in the original; an absolute path keeps its names."""
    return Path("samples", *(part for part in load_cp_dir.parts if part not in (load_cp_dir.anchor, "..")))


def load(config: Config, load_cp_dir: str) -> Model:
    """The model of the newest checkpoint in a directory.

    Raises:
      UserError: no checkpoint there, or one of another data set, model or size.
    """
    print(" [*] Reading checkpoints...")
    model = build_model(config)
    checkpoint.restore(checkpoint.latest(Path(load_cp_dir)), model)
    print(True, flush=True)
    return model


def write_samples(path: Path, batches: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    """Stream image batches into one .npy file of float32 `shape`, complete or absent."""
    with files.atomic(path) as temporary, open(temporary, "wb") as handle:
        np.lib.format.write_array_header_1_0(handle, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for images in batches:
            handle.write(images.astype("<f4").tobytes())


def memory_use(model: Model) -> dict[str, float]:
    """How much of the memory is in use: shares of all slots, and the perplexity of p(c | v = 1) as a share of them."""
    state = model.memory.state()
    return {
        "slots_written": float(np.mean(np.any(state.keys.numpy() != 0, axis=1))),
        "slots_real": float(tf.reduce_mean(state.values)),
        "slots_sampled_effectively": memory.effective_share(memory.slot_probabilities(state).numpy()),
    }


def _labelled(config: Config, split: str, data_dir: str) -> RealImages:
    """Real images for a judge, which sees those of affine-MNIST distorted anew each time."""
    if config.dataset == own.NAME:
        return real_images.load(own.opened(data_dir, config.side), split, data_dir)
    images, labels = data.load(config, split, data_dir)
    if config.dataset != "affmnist":
        return RealImages(images, labels)
    return RealImages(images, labels, lambda chosen, generator: data.distort(
        images[chosen], data.distortions(generator, len(chosen))))


def _judge(config: Config, data_dir: str) -> Judge:
    """What judges the samples; of one's own images a network like those of the published data sets."""
    if config.dataset != own.NAME:
        return JUDGES[config.dataset]
    classes = len(own.opened(data_dir, config.side).classes)
    return Judge("ResNet", functools.partial(residual_network, classes=classes), Recipe.of_judge(20, shift=2))


class Scorer:
    """The inception score of a data set's generated images, by what judges them.

    Args:
      inception_weights: Keras' file of Inception-v3 with its top, for cifar10; "": downloaded where there is a network.
    """

    def __init__(self, config: Config, data_dir: str, inception_weights: str = ""):
        extractor = _inception(config, inception_weights)
        if extractor:
            self._name, self._accuracy = extractor.name, None
            self._probabilities = lambda images: np.concatenate(
                [extractor.extract(np.array(batch)) for batch in batches(images)])
            return
        judge = _judge(config, data_dir)
        model = pretrained.judge_of(config.dataset, _labelled(config, "train", data_dir),
                                    _labelled(config, "test", data_dir), "pretrain", judge)
        self._name, self._accuracy = judge.name, pretrained.about(model).get("accuracy")
        self._probabilities = lambda images: pretrained.probabilities(
            model, (pictures.float_pixels(np.array(batch), config.data.unit_range) for batch in batches(images)),
            judge.recipe.flip)

    def score(self, images: np.ndarray) -> dict:
        """Of generated images [n, h, w, c], with what it depends on: splits, images, the classifier."""
        mean, deviation = inception_score(self._probabilities(images))
        return {"inception_score": mean, "deviation": deviation, "classifier": self._name, "samples": len(images),
                "splits": SPLITS, "classifier_accuracy": self._accuracy}


def _inception(config: Config, weights: str) -> Extractor | None:
    """What judges cifar10, if it can be had."""
    if config.dataset != "cifar10":
        return None
    return inception.if_had(inception.probabilities, weights, "a classifier trained here takes Inception's place")


def scores_by_epoch(config: Config, directory: Path, scorer: Scorer, count: int) -> dict[int, dict]:
    """{epoch: `Scorer.score` of so many generated images} of each checkpoint in a run's directory."""
    model, scores = build_model(config), {}
    for epoch, prefix in checkpoint.by_epoch(directory).items():
        checkpoint.restore(prefix, model)
        scores[epoch] = scorer.score(np.concatenate([*generated(config, model, count)]))
        print(f"epoch {epoch}: inception score {scores[epoch]['inception_score']:.3f} of {count} samples", flush=True)
    return scores


def score_by_epoch(metrics: dict) -> dict[int, float]:
    """{epoch: inception score} of a `metrics.json`, empty if it was written without `--every_epoch`."""
    return {int(epoch): scores["inception_score"] for epoch, scores in metrics.get("by_epoch", {}).items()}


def _known(accuracy: float | None) -> str:
    """How good a judge is itself."""
    return "" if accuracy is None else f", whose accuracy on real test images is {accuracy:.2%}"


def run(config: Config, model: Model, command: Command, measured: Measured) -> Path:
    """Write `samples/<load_cp_dir>/samples_gen_0.npy`, a picture of its first 64 images, and what they are worth.

    Args:
      model: what `load` made of the checkpoint in `command.load_cp_dir`.

    Returns the directory.
    """
    print("[*] Test Start", flush=True)
    started, began = time.monotonic(), time.time()
    load_cp_dir = Path(command.load_cp_dir)
    directory = samples_directory(load_cp_dir)
    files.make_directory(directory)
    path = directory / "samples_gen_0.npy"
    count = measured.samples
    shape = (count, config.data.side, config.data.side, config.data.channels)
    write_samples(path, generated(config, model, count), shape)
    samples = np.load(path, mmap_mode="r", allow_pickle=False)
    pictures.save_png(directory / "samples_gen_0.png", sample_picture(samples))
    print(f"[*] Finished : {time.monotonic() - started:f}")
    print(f"saved at {directory}", flush=True)
    metrics = {"memory": memory_use(model)} if model.memory else {}
    if measured.inception_score and not config.data.folder:
        scorer = Scorer(config, command.data_dir, measured.inception_weights)
        metrics |= scorer.score(samples)
        print(f"inception score {metrics['inception_score']:.3f} +- {metrics['deviation']:.3f} of {count} samples in "
              f"{metrics['splits']} splits, by the {metrics['classifier']}{_known(metrics['classifier_accuracy'])}",
              flush=True)
        if measured.every_epoch:
            metrics["by_epoch"] = scores_by_epoch(config, load_cp_dir, scorer, min(count, SCORED))
    files.write_json(directory / "metrics.json", metrics | {
        "method": config.model, "provenance": provenance.here(device.described(), began),
        "training": provenance.of_run(logs_of(command.load_cp_dir))})
    return directory
