"""The evaluation classifier of a data set, ready for use: the original's own if it is there, else one trained here.

`pretrain/<data set>/` holds what was trained, one file per training data and recipe.
"""

from pathlib import Path

from lib import files, tf1
from lib.errors import UserError, reason
from lib.metrics import real_images
from lib.metrics.accuracy import accuracy
from lib.metrics.features import Classifier, build_classifier, tf1_names
from lib.metrics.training import RECIPES, train

# Where the original keeps its TF1 checkpoints, below its directory `pretrain`.
_ORIGINALS = {
    "mnist": "mnist/mnist.model-10197",
    "svhn": "svhn/svhn.model-25654",
    "lsun": "lsun10/lsun10.model-100002",
}


def evaluation_classifier(dataset: str, data_dir: str, pretrain_dir: str = "pretrain") -> Classifier:
    """The classifier that judges generated images of `dataset` ("mnist", "svhn", "lsun", "digits").

    The original's TF1 checkpoint is used if it lies where the original keeps it. Otherwise a classifier is trained on
    the real training images the first time and read from its file later; a file serves only the very data and recipe
    it was trained with. The recipe departs from the original's, whose initial weights of 0.001 train badly: see
    `lib.metrics.training`. Prints which one it is and how many real test images it recognises.

    Raises `UserError` if the original's checkpoint does not fit the network, or the data cannot be read.
    """
    classifier = build_classifier(dataset)
    origin = _restore_original(classifier, dataset, Path(pretrain_dir))
    origin = origin or _restore_or_train(classifier, dataset, data_dir, Path(pretrain_dir))
    print(f"{dataset} classifier {origin}: {_judgement(classifier, dataset, data_dir)}", flush=True)
    return classifier


def _judgement(classifier: Classifier, dataset: str, data_dir: str) -> str:
    try:
        test = real_images.load(dataset, "test", data_dir)
    except UserError as error:
        # The original's classifier does its work without real images.
        return f"accuracy on real test images unknown ({error})"
    return f"accuracy {accuracy(classifier, test.images, test.labels):.2%} on {len(test.images)} real test images"


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


def _restore_or_train(classifier: Classifier, dataset: str, data_dir: str, pretrain_dir: Path) -> Path:
    real, recipe = real_images.load(dataset, "train", data_dir), RECIPES[dataset]
    path = pretrain_dir / dataset / f"{dataset}-{real.fingerprint(recipe)}.weights.h5"
    if not restore_weights(classifier, path):
        files.make_directory(path.parent)
        train(classifier, real.images, real.labels, recipe, title=f"training the {dataset} classifier")
        with files.atomic(path) as temporary:
            classifier.save_weights(temporary)
    return path


def restore_weights(classifier, path: Path) -> bool:
    """Whether `path` holds this Keras model's weights, which it then has; a damaged file is reported."""
    if not path.exists():
        return False
    try:
        classifier.load_weights(path)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        print(f"{path} is damaged ({reason(error)}): training the classifier again", flush=True)
        return False
    return True
