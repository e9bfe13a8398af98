"""From a data set's name to uint8 images and int32 labels.

The original's layout below `data_dir` comes first, then a data set that TFDS has prepared, then a download by TFDS.
Files that are there but broken are an error: nothing else is silently read in their place.
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from lib.data import idx, prepared
from lib.errors import UserError

_DIGITS_TEST_STRIDE = 5  # every fifth image of each of scikit-learn's digits is a test image


class Arrays(NamedTuple):
    images: np.ndarray  # uint8 [n, height, width, channels], 0..255
    labels: np.ndarray  # int32 [n], 0..9


class Source(NamedTuple):
    """How one data set lies on disk, and what it is called elsewhere."""

    folder: str  # below data_dir
    files: dict[str, tuple[str, ...]]  # of each split as distributed: "train" and "test"
    find: Callable[[str, str], str | None]  # (folder, file name) -> path under which the file is there
    read: Callable[..., Arrays]  # the paths of one split -> its images
    count: Callable[..., int]  # the paths of one split -> its number of images, without reading them
    shape: tuple[int, int, int]  # of an image as distributed
    tfds: str  # name of the same data set in TFDS
    url: str  # where TFDS downloads it from
    validation: int = 0  # images at the head of the training files that are never trained on
    side: int | None = None  # images are zero-padded to this height and width


def _existing(folder: str, name: str) -> str | None:
    path = os.path.join(folder, name)
    return path if os.path.exists(path) else None


def _packed_or_not(folder: str, name: str) -> str | None:
    return _existing(folder, name) or _existing(folder, name.removesuffix(".gz"))


def _read_idx(images_path: str, labels_path: str) -> Arrays:
    return Arrays(idx.read(images_path, rank=3)[..., None], idx.read(labels_path, rank=1).astype(np.int32))


_IDX_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_MNIST = Source(
    folder="mnist", files=_IDX_FILES, find=_packed_or_not, read=_read_idx,
    count=lambda images_path, labels_path: idx.shape(images_path, rank=3)[0],
    shape=(28, 28, 1), tfds="mnist", url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    validation=5000)

SOURCES = {
    "mnist": _MNIST._replace(side=32),  # as MeRGAN's networks take it
    "mnist28": _MNIST,
    "fashion": _MNIST._replace(
        folder="fashion", tfds="fashion_mnist", validation=0,
        url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
}
NAMES = (*SOURCES, "digits")


def load(name: str, split: str, data_dir: str = "dataset", classes: Sequence[int] | None = None) -> Arrays:
    """The images of a data set's split, all of them or those of the given classes, in file order.

    `split`: "train", "test", or, for mnist alone, "validation": the first 5000 images of the training file, which
    are not in "train". `classes`: the labels to keep. "digits" are scikit-learn's 8 x 8 digits scaled to 32 x 32;
    every fifth of each class (355 of 1797) is the test split.
    TFDS stores mnist in an order of its own, so the 5000 validation images are others there than in the files.
    Raises `UserError` for an unknown name or split, data that are nowhere to be had, and broken files.
    """
    if name not in NAMES:
        raise UserError(f"unknown data set {name!r}; known: {', '.join(NAMES)}")
    arrays = _digits(split) if name == "digits" else _split(name, SOURCES[name], split, data_dir)
    return arrays if classes is None else of_classes(arrays, classes, f"{name} ({split})")


def of_classes(arrays: Arrays, classes: Sequence[int], name: str) -> Arrays:
    """The images whose label is one of `classes`, order kept. Raises `UserError` for a class without images."""
    for label in classes:
        if not (arrays.labels == label).any():
            raise UserError(f"{name}: no image of class {label} among {len(arrays.labels)}; the data are incomplete")
    kept = np.isin(arrays.labels, classes)
    return Arrays(arrays.images[kept], arrays.labels[kept])


def _digits(split: str) -> Arrays:
    if split not in ("train", "test"):
        raise UserError(f"digits: no split {split!r}; there are train and test")
    digits = load_digits()
    tested = np.zeros(len(digits.target), bool)
    for label in range(10):
        tested[np.flatnonzero(digits.target == label)[_DIGITS_TEST_STRIDE - 1::_DIGITS_TEST_STRIDE]] = True
    chosen = tested == (split == "test")
    grey = np.rint(digits.images[chosen] * (255.0 / 16.0)).astype(np.uint8)
    images = [np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR)) for image in grey]
    return Arrays(np.stack(images)[..., None], digits.target[chosen].astype(np.int32))


def _split(name: str, source: Source, split: str, data_dir: str) -> Arrays:
    if split not in ("train", "test") and not (split == "validation" and source.validation):
        raise UserError(f"{name}: no split {split!r}; there are train and test"
                        + (" and validation" if source.validation else ""))
    file_split = "test" if split == "test" else "train"
    paths = _find(name, source, data_dir)
    if paths is None:
        arrays = Arrays(*prepared.read(source.tfds, file_split, source.url, _missing(name, source, data_dir)))
        where = f"{name} of TFDS"
    else:
        arrays, where = source.read(*paths[file_split]), ", ".join(paths[file_split])
    _verify(arrays, source.shape, where)
    if source.validation and file_split == "train":
        if len(arrays.images) <= source.validation:
            raise UserError(f"{where}: {len(arrays.images)} images, of which the first {source.validation} are for "
                            f"validation: none is left to train on; fetch the files again")
        part = slice(source.validation) if split == "validation" else slice(source.validation, None)
        arrays = Arrays(*(array[part] for array in arrays))
    return arrays if source.side is None else arrays._replace(images=_pad(arrays.images, source.side))


def _find(name: str, source: Source, data_dir: str) -> dict[str, list[str]] | None:
    """Paths of the files of each split, None where not one of them exists; an error where only some do."""
    folder = os.path.join(data_dir, source.folder)
    found = {file: source.find(folder, file) for files in source.files.values() for file in files}
    if not any(found.values()):
        return None
    missing = [file for file, path in found.items() if path is None]
    if missing:
        raise UserError(f"{name}: {', '.join(missing)} missing in {folder}, though others of its files are there; "
                        f"put the missing ones beside them")
    return {split: [found[file] for file in files] for split, files in source.files.items()}


def _missing(name: str, source: Source, data_dir: str) -> str:
    files = ", ".join(file for files in source.files.values() for file in files)
    return f"{name}: none of {files} in {os.path.join(data_dir, source.folder)}"


def _verify(arrays: Arrays, shape: tuple[int, int, int], where: str) -> None:
    images, labels = arrays
    if images.shape[1:] != shape or not len(images):
        raise UserError(f"{where}: images {list(images.shape)} instead of [n, {', '.join(map(str, shape))}]; this is "
                        f"another data set, or fetch the files again")
    if len(images) != len(labels):
        raise UserError(f"{where}: {len(images)} images but {len(labels)} labels; the files do not belong together")
    if labels.min() < 0 or labels.max() > 9:
        raise UserError(f"{where}: labels from {labels.min()} to {labels.max()} instead of 0 to 9; fetch the files "
                        f"again")


def _pad(images: np.ndarray, side: int) -> np.ndarray:
    before = (side - images.shape[1]) // 2
    after = side - images.shape[1] - before
    return np.pad(images, ((0, 0), (before, after), (before, after), (0, 0)))
