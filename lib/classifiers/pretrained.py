"""Classifiers ready for use: the original's own if it is there, else one trained here.

`pretrain/<data set>/` holds what was trained, one file per training data and recipe.
"""

import weakref
from pathlib import Path

import keras
import numpy as np

from lib import files, randomness, tf1
from lib.classifiers import real_images
from lib.classifiers.features import batches, predict
from lib.classifiers.networks import Classifier, build_classifier, tf1_names
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import JUDGES, RECIPES, Judge, Recipe, train
from lib.errors import UserError, reason

# Where the original keeps its TF1 checkpoints, below its directory `pretrain`.
_ORIGINALS = {
    "mnist": "mnist/mnist.model-10197",
    "svhn": "svhn/svhn.model-25654",
    "lsun": "lsun10/lsun10.model-100002",
}

_about: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # what `about` knows of each classifier


def about(classifier) -> dict:
    """What figures of a classifier depend on: {"classifier": which one, "accuracy": its own on real test images, in
    0..1, "images": how many those are}; the last two are missing where there are no real images, all for a foreign one.
    """
    return dict(_about.get(classifier, {}))


def told(known: dict) -> str:
    """What `about` knows, in words."""
    if "accuracy" not in known:
        return str(known["classifier"])
    return f"{known['classifier']}, accuracy {known['accuracy']:.2%} on {known['images']} real test images"


def evaluation_classifier(dataset: str, data_dir: str, pretrain_dir: str = "pretrain") -> Classifier:
    """The classifier that judges generated images of `dataset`, one of `RECIPES`.

    The original's TF1 checkpoint is used if it lies where the original keeps it. Otherwise a classifier is trained on
    the real training images the first time and read from its file later; a file serves only the very data and recipe
    it was trained with. The recipe departs from the original's, whose initial weights of 0.001 train badly: see
    `lib.classifiers.training`. Prints which one it is and how many real test images it recognises.

    Raises `UserError` if the original's checkpoint does not fit the network, or the data cannot be read.
    """
    classifier = build_classifier(dataset)
    origin = _restore_original(classifier, dataset, Path(pretrain_dir))
    origin = origin or _trained(classifier, dataset, data_dir, Path(pretrain_dir))
    try:
        test = real_images.load(dataset, "test", data_dir)
    except UserError as error:
        # The original's classifier does its work without real images.
        print(f"{dataset} classifier {origin}: accuracy on real test images unknown ({error})", flush=True)
        _about[classifier] = {"classifier": f"{dataset} classifier {origin}"}
        return classifier
    _note_accuracy(classifier, f"{dataset} classifier {origin}", predict(classifier, test.images), test.labels)
    return classifier


def judge_of(dataset: str, data: RealImages, test: RealImages, pretrain_dir: str = "pretrain",
             judge: Judge | None = None) -> keras.Model:
    """The judge of a data set, trained on `data` the first time and read from its file later.

    A file serves only the very images and recipe it was trained with. Prints which one it is and how many of the
    images of `test` it recognises.

    Args:
      judge: default: memoryGAN's, for "fashion", "mnist", "affmnist" and "cifar10".
    """
    judge = judge or JUDGES[dataset]
    recipe = judge.recipe
    shape = data.drawn(np.array([0]), randomness.host_generator(0, "judge shape")).shape[1:]
    model = judge.build(shape, 0)
    # What tells files apart, in the words that they have been named by since the first.
    told_by = repr(((judge.name, recipe.epochs, recipe.flip, recipe.shift, recipe.learning_rate),))
    path = Path(pretrain_dir, dataset, f"judge-{data.fingerprint(told_by)}.weights.h5")
    if not _restored(model, path):
        print(f"training the {judge.name} that judges {dataset}, {recipe.epochs} epochs, for {path}", flush=True)
        _train_and_keep(model, path, data, recipe, f"training the judge of {dataset}")
    seen = test.drawn(np.arange(len(test.labels)), randomness.host_generator(0, "judge test"))
    _note_accuracy(model, f"{judge.name} that judges {dataset}",
                   probabilities(model, batches(seen), recipe.flip).argmax(axis=1), test.labels)
    return model


def probabilities(judge: keras.Model, images, mirrored: bool) -> np.ndarray:
    """p(y|x) float32 [n, classes] of a stream of image batches [m, h, w, c] in 0..255.

    Args:
      mirrored: the mean over each image and its mirror image.
    """
    def judged(batch):
        return keras.ops.convert_to_numpy(keras.ops.softmax(judge(batch, training=False)))

    rows = []
    for batch in images:
        batch = np.asarray(batch, np.float32)
        rows.append((judged(batch) + judged(batch[:, :, ::-1])) / 2.0 if mirrored else judged(batch))
    return np.concatenate(rows)


def _note_accuracy(classifier, who: str, predicted: np.ndarray, labels: np.ndarray) -> None:
    accuracy = float(np.mean(predicted == labels))
    _about[classifier] = {"classifier": who, "accuracy": accuracy, "images": len(labels)}
    print(f"{who}: accuracy {accuracy:.2%} on {len(labels)} real test images", flush=True)


def _restore_original(classifier: Classifier, dataset: str, pretrain_dir: Path) -> Path | None:
    """The prefix of the original's checkpoint, if there is one with content."""
    if dataset not in _ORIGINALS:
        return None
    prefix = pretrain_dir / _ORIGINALS[dataset]
    if not tf1.exists(prefix):
        return None
    parts = list(prefix.parent.glob(f"{prefix.name}.data-*"))
    if not parts or not all(part.stat().st_size for part in parts):
        # As in public copies of the original's repository.
        print(f"{prefix}: its .data file is empty or missing, so another classifier takes its place", flush=True)
        return None
    values, variables = tf1.read(prefix), tf1_names(classifier)
    misfits = [name for name, variable in variables.items()
               if name not in values or values[name].shape != tuple(variable.shape)]
    if misfits:
        raise UserError(f"{prefix} is not the {dataset} classifier: {', '.join(misfits)} missing or of another shape; "
                        f"put the original's file there, or remove it and a classifier is trained instead")
    for name, variable in variables.items():
        variable.assign(values[name])
    return prefix


def _trained(classifier: Classifier, dataset: str, data_dir: str, pretrain_dir: Path) -> Path:
    """The file of the classifier trained here, restored or trained now."""
    real, recipe = real_images.load(dataset, "train", data_dir), RECIPES[dataset]
    # What tells files apart, in the words that they have been named by since the first.
    told_by = (f"(Recipe(epochs={recipe.epochs}, batch_size={recipe.batch_size}, learning_rate={recipe.learning_rate}, "
               f"shift={recipe.shift}, dropout={recipe.dropout}),)")
    path = pretrain_dir / dataset / f"{dataset}-{real.fingerprint(told_by)}.weights.h5"
    if not _restored(classifier, path):
        _train_and_keep(classifier, path, real, recipe, f"training the {dataset} classifier")
    return path


def _restored(model: keras.Model, path: Path) -> bool:
    """Whether `path` holds this model's weights, which it then has; a damaged file is reported."""
    if not path.exists():
        return False
    try:
        model.load_weights(path)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        print(f"{path} is damaged ({reason(error)}): training the classifier again", flush=True)
        return False
    return True


def _train_and_keep(model: keras.Model, path: Path, data: RealImages, recipe: Recipe, title: str) -> None:
    size = 8 * model.count_params() + 2**20  # more than twice the weights', which HDF5 has to itself
    files.make_directory(path.parent, "classifiers are kept in pretrain/ below the working directory; start from one "
                                      "that can be written, or link pretrain/ to a place that can")
    files.require_space(path.parent, size)  # before hours of training, and where others may have filled the disk
    train(model, data, recipe, title=title)
    files.require_space(path.parent, size)
    with files.atomic(path) as temporary:
        model.save_weights(temporary)
