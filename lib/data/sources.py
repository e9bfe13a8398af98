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

from lib.data import cifar, folders, from_tfds, idx, mat
from lib.errors import UserError

_DIGITS_TEST_STRIDE = 5  # every fifth image of each of scikit-learn's digits is a test image


class Arrays(NamedTuple):
    images: np.ndarray  # uint8 [n, height, width, channels], 0..255
    labels: np.ndarray  # int32 [n], 0..9


class Source(NamedTuple):
    """How one data set lies on disk, and what it is called elsewhere."""

    folders: tuple[str, ...]  # below data_dir, in the order tried
    expected: str  # the files in it, for messages
    find: Callable[[str], dict[str, list[str]] | None]  # folder -> paths of each split; None if no file is there
    read: Callable[[list[str], str], tuple[np.ndarray, np.ndarray]]  # (paths, split) -> images and labels
    shape: tuple[int, int, int]  # of an image as distributed
    tfds: str  # name of the same data set in TFDS
    url: str  # where TFDS downloads it from
    validation: int = 0  # images at the head of the training files that are never trained on
    side: int | None = None  # images are zero-padded to this height and width


def _spellings(name: str) -> list[str]:
    """A file's name as it is given out, unpacked, and as its packed header spells it (with a dot before `idx`)."""
    plain = [name, name.removesuffix(".gz")]
    return [*plain, *(one.replace("-idx", ".idx") for one in plain if "-idx" in one)]


def _find_files(splits: dict[str, tuple[str, ...]]) -> Callable[[str], dict[str, list[str]] | None]:
    """`Source.find` for files of fixed names in a folder or one folder deeper."""

    def existing(places, name):
        paths = [os.path.join(place, spelled) for place in places for spelled in _spellings(name)]
        return next(filter(os.path.lexists, paths), None)

    def find(folder):
        if not folders.is_directory(folder):
            return None
        places = [folder, *(entry.path for entry in os.scandir(folder)
                            if entry.is_dir() and not entry.name.startswith("."))]
        found = {name: existing(places, name) for names in splits.values() for name in names}
        missing = [name for name, path in found.items() if path is None]
        if len(missing) == len(found):
            return None
        if missing:
            raise UserError(f"{', '.join(missing)} missing in {folder}, though others of the data set's files are "
                            f"there; put the missing ones beside them")
        return {split: [found[name] for name in names] for split, names in splits.items()}

    return find


def _read_idx(paths: list[str], split: str) -> tuple[np.ndarray, np.ndarray]:
    images_path, labels_path = paths
    return idx.read(images_path, rank=3)[..., None], idx.read(labels_path, rank=1).astype(np.int32)


_IDX_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_MAT_FILES = {"train": ("train_32x32.mat",), "test": ("test_32x32.mat",)}
_MNIST = Source(
    folders=("mnist", "MNIST_data"), expected=", ".join(sum(_IDX_FILES.values(), ())), find=_find_files(_IDX_FILES),
    read=_read_idx, shape=(28, 28, 1), tfds="mnist", url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    validation=5000)

_FASHION = _MNIST._replace(
    folders=("fashion", "Fashion_data"), tfds="fashion_mnist", validation=0,
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")

# Besides the folders of MeRGAN and memoryGAN, the ones that the Lifelong VAE keeps its files in.
SOURCES = {
    "mnist": _MNIST._replace(side=32),  # as MeRGAN's networks take it
    "mnist28": _MNIST,
    "affmnist": _MNIST._replace(folders=("affmnist", *_MNIST.folders), validation=0),  # not yet distorted
    "fashion": _FASHION._replace(side=32),
    "fashion28": _FASHION,
    "svhn": Source(
        folders=("svhn", os.path.join("SVHN_data", "cropped")), expected=", ".join(sum(_MAT_FILES.values(), ())),
        find=_find_files(_MAT_FILES), read=lambda paths, split: mat.read(*paths), shape=(32, 32, 3),
        tfds="svhn_cropped", url="http://ufldl.stanford.edu/housenumbers/"),
    "cifar10": Source(
        folders=("cifar10",), expected=cifar.EXPECTED, find=cifar.find, read=cifar.read, shape=cifar.SHAPE,
        tfds="cifar10", url="https://www.cs.toronto.edu/~kriz/"),
}
NAMES = (*SOURCES, "digits")


def load(name: str, split: str, data_dir: str = "dataset") -> Arrays:
    """The images of a data set's split, in file order.

    `split`: "train", "test", or, for mnist alone, "validation": the first 5000 images of the training file, which
    are not in "train". "digits" are scikit-learn's 8 x 8 digits scaled to 32 x 32; every fifth of each class (355 of
    1797) is the test split.
    TFDS stores mnist in an order of its own, so the 5000 validation images are others there than in the files.
    Raises `UserError` for an unknown name or split, data that are nowhere to be had, and broken files.
    """
    if name not in NAMES:
        raise UserError(f"unknown data set {name!r}; known: {', '.join(NAMES)}")
    return _digits(split) if name == "digits" else _split(name, SOURCES[name], split, data_dir)


def files(name: str, data_dir: str) -> list[str]:
    """The files of a data set, those of each split in order; none if it does not come from files."""
    found = _find(SOURCES[name], data_dir) if name in SOURCES else None
    return [path for of_split in (found or {}).values() for path in of_split]


def described(name: str, data_dir: str) -> str:
    """Which source `load` reads, in words."""
    if name == "digits":
        return "scikit-learn's digits"
    paths = files(name, data_dir)
    return f"files {', '.join(paths)}" if paths else from_tfds.described(SOURCES[name].tfds)


def describe(name: str, train: Arrays, test: Arrays, data_dir: str = "dataset") -> list[str]:
    """The lines that the original's loaders print on reading; it does so at every task, the loop here once per run.

    `train`, `test`: what `load` gave. Data sets that the original does not know are described as it describes svhn.
    """
    trained, tested = f"Training Set:   {len(train.labels)} samples", f"Test Set:       {len(test.labels)} samples"
    shape = train.images.shape[1:]
    if name != "mnist":
        return [trained, tested, f"Image Shape: {shape}"]
    return [
        *(f"Extracting {path}" for path in files(name, data_dir)),
        trained,
        f"Validation Set: {SOURCES[name].validation} samples",
        tested,
        f"Labels: {np.unique(train.labels)}",
        f"Original Image Shape: {SOURCES[name].shape}",
        f"Updated Image Shape: {shape}",
    ]


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
    paths = _find(source, data_dir)
    if paths is None:
        arrays = Arrays(*from_tfds.read(source.tfds, file_split, source.url, *_messages(name, source, data_dir)))
        where = f"{name} of TFDS"
    else:
        arrays, where = Arrays(*source.read(paths[file_split], file_split)), ", ".join(paths[file_split])
    _verify(arrays, source.shape, where)
    if source.validation and file_split == "train":
        if len(arrays.images) <= source.validation:
            raise UserError(f"{where}: {len(arrays.images)} images, of which the first {source.validation} are for "
                            f"validation: none is left to train on; fetch the files again")
        part = slice(source.validation) if split == "validation" else slice(source.validation, None)
        arrays = Arrays(*(array[part] for array in arrays))
    return arrays if source.side is None else arrays._replace(images=_pad(arrays.images, source.side))


def _messages(name: str, source: Source, data_dir: str) -> tuple[str, str]:
    """What is missing and what lies there instead, and the way out."""
    tried = [os.path.join(data_dir, folder) for folder in source.folders]
    others = [f"{folder} holds {', '.join(sorted(os.listdir(folder))[:4]) or 'nothing'}" for folder in tried
              if folders.is_directory(folder)]
    found = f" ({'; '.join(others)})" if others else ""
    without_download = ", or try --dataset digits, which needs no download" if name in ("mnist", "svhn") else ""
    return (f"{name}: no {source.expected} in {' or '.join(tried)}{found}",
            f"put the files there, or say --data_dir, or run `tfds build {source.tfds}` where there is a "
            f"network{without_download}")


def _find(source: Source, data_dir: str) -> dict[str, list[str]] | None:
    for folder in source.folders:
        paths = source.find(os.path.join(data_dir, folder))
        if paths is not None:
            return paths
    return None


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
