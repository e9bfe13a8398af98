"""Images of one's own: a folder with a folder for each class, or an .npz file with `images` and `labels`."""

import dataclasses
import functools
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from multiprocessing.pool import ThreadPool

import numpy as np
from PIL import Image

from lib.data import folders, limits
from lib.data.sources import Arrays
from lib.errors import UserError, reason

NAME = "folder"  # what --dataset calls them
SIDES = (32, 64)  # that the GANs have networks for
_ORDER = "classes.txt"
_SPLITS = ("train", "val")  # folders of training and test images, if both are there
_TEST_STRIDE = 10  # else every tenth image of a class is for testing
_SHOWN = 10  # names of classes


def check_side(dataset: str, side: int | None) -> None:
    """Refuse a side that is asked of a data set which has its own."""
    if dataset != NAME and side:
        raise UserError(f"--side={side} goes with --dataset={NAME} alone; {dataset} has its own")


@dataclasses.dataclass(frozen=True)
class Own:
    """What was found. It stands where a data set's name does, and is called so in messages and paths."""

    source: str  # in words
    classes: tuple[str, ...]  # in the order of their labels
    side: int  # of the decoded images
    channels: int  # 1 if all images are grey, else 3
    train: tuple[folders.Images, ...]  # of each class, all decoded alike
    test: tuple[folders.Images, ...]

    def __str__(self) -> str:
        return NAME

    def images(self, split: str) -> tuple[folders.Images, ...]:
        """Those of "train" or "test", class by class."""
        return {"train": self.train, "test": self.test}[split]

    def paths(self, split: str) -> list:
        """Of all classes' images, one class after the other."""
        return [path for images in self.images(split) for path in images.paths]

    def count(self, split: str) -> int:
        return len(self.paths(split))

    def labels(self, split: str) -> np.ndarray:
        """int32 [n], class by class."""
        return np.repeat(np.arange(len(self.classes), dtype=np.int32),
                         [len(images.paths) for images in self.images(split)])

    @property
    def is_large(self) -> bool:
        """Whether decoded images would take too much memory, so that they are read as they are needed."""
        count = self.count("train") + self.count("test")
        return count * self.side**2 * self.channels > limits.MAX_BYTES

    def arrays(self, split: str) -> Arrays:
        """All images of a split, decoded. Raises `UserError` naming those that cannot be."""
        images = _each(lambda path: self.train[0].decode(path, self.side), self.paths(split))
        return Arrays(np.stack(images), self.labels(split))


@functools.lru_cache(maxsize=2)
def opened(path: str, side: int) -> Own:
    """What lies in a folder or .npz file; says once what it is, and whether images are resized.

    Raises:
      UserError: nothing there, no classes, a class of one image, files that are no images, labels that do not fit.
    """
    return _of_npz(path, side) if path.lower().endswith(".npz") else _of_folder(path, side)


def _of_folder(path: str, side: int) -> Own:
    if not folders.is_directory(path):
        raise UserError(f"{path}: no such folder; --data_dir has to name one that holds a folder for each class, or an "
                        ".npz file")
    splits = [os.path.join(path, name) for name in _SPLITS]
    roots = splits if all(map(folders.is_directory, splits)) else [path]
    classes = _classes(roots[0], os.path.join(path, _ORDER))
    found = [[folders.files(os.path.join(root, name)) for name in classes] for root in roots]
    train, test = found if len(found) == 2 else _held_out([(os.path.join(path, name), paths) for name, paths
                                                           in zip(classes, found[0])])
    headers = _each(folders.header, sum(train + test, []))
    channels = 1 if all(is_grey for is_grey, _ in headers) else 3
    decode = functools.partial(folders.decode, crop=True, grey=channels == 1)
    own = Own(f"image files below {path}", classes, side, channels,
              *(tuple(folders.Images(paths, decode) for paths in of_split) for of_split in (train, test)))
    _describe(own, {size for _, size in headers})
    return own


def _classes(root: str, order: str) -> tuple[str, ...]:
    """The names of the folders in `root`, numbers in them by value, or those of the lines of the file `order`."""
    names = [os.path.basename(path) for path in folders.entries(root) if folders.is_directory(path)]
    if not names:
        raise UserError(f"{root}: no folders in it; one folder for each class was expected, with its images")
    if not os.path.exists(order):
        return tuple(sorted(names, key=lambda name: [int(part) if number % 2 else part
                                                     for number, part in enumerate(re.split(r"(\d+)", name))]))
    try:
        with open(order, encoding="utf-8") as file:
            listed = [line for line in map(str.strip, file) if line]
    except (OSError, ValueError) as error:
        raise UserError(f"{order}: cannot be read ({reason(error)})") from error
    wrong = [name for name in listed if name not in names or listed.count(name) > 1]
    if wrong or not listed:
        raise UserError(f"{order}: {f'{wrong[0]!r} is no folder of {root}, or twice there' if wrong else 'empty'}; it "
                        "has a line for each class, the name of its folder")
    return tuple(listed)


def _held_out(classes: Sequence[tuple[str, Sequence]]) -> tuple[list[list], list[list]]:
    """Of (name, images) of each class those to train on and those to test with, at least one each."""
    train, test = [], []
    for name, paths in classes:
        if len(paths) < 2:
            raise UserError(f"{name}: a single image; a class needs at least two, one of them for testing")
        tested = set(range(_TEST_STRIDE - 1, len(paths), _TEST_STRIDE)) or {len(paths) - 1}
        train.append([path for number, path in enumerate(paths) if number not in tested])
        test.append([path for number, path in enumerate(paths) if number in tested])
    return train, test


def _of_npz(path: str, side: int) -> Own:
    images, labels = _read_npz(path)
    rows = [(f"{path}, class {label}", np.flatnonzero(labels == label)) for label in range(labels.max() + 1)]
    missing = [name for name, of_class in rows if not len(of_class)]
    if missing:
        raise UserError(f"{missing[0]}: no image; labels are to be 0, 1, ... without a gap")
    grey = images.shape[3:] in ((), (1,))

    def decode(row: int, side: int) -> np.ndarray:
        image = images[row].reshape(images.shape[1:3]) if grey else images[row]
        return folders.fit(Image.fromarray(image), side, True, grey)

    train, test = (tuple(folders.Images(of_class, decode) for of_class in of_split) for of_split in _held_out(rows))
    own = Own(f"file {path}", tuple(map(str, range(len(rows)))), side, 1 if grey else 3, train, test)
    _describe(own, {images.shape[2:0:-1]})
    return own


def _read_npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, h, w] or [n, h, w, 1 or 3], and labels [n] of at least 0."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: not there, or no .npz file; one with images and labels was expected")
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({reason(error)}); an .npz file with images and labels was expected"
                        ) from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[3:] not in ((), (1,), (3,)):
        raise UserError(f"{path}: images are {images.dtype} {list(images.shape)}; bytes (uint8, 0..255) [n, h, w] or "
                        "[n, h, w, 1 or 3] were expected")
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or not len(labels):
        raise UserError(f"{path}: labels are {labels.dtype} {list(labels.shape)} for {len(images)} images; a whole "
                        "number for each image was expected")
    if labels.min() < 0 or labels.max() >= len(labels):
        raise UserError(f"{path}: labels from {labels.min()} to {labels.max()}; they are to be 0, 1, ... without a gap")
    return images, labels


def _describe(own: Own, sizes: set[tuple[int, int]]) -> None:
    names = ", ".join(own.classes[:_SHOWN]) + ", ..." * (len(own.classes) > _SHOWN)
    print(f"{own.source}: {len(own.classes)} classes ({names}), {own.count('train')} training and {own.count('test')} "
          f"test images, {'grey' if own.channels == 1 else 'in colour'}")
    if sizes != {(own.side, own.side)}:
        shown = " to ".join(f"{width} x {height}" for width, height in dict.fromkeys((min(sizes), max(sizes))))
        print(f"images of {shown} pixels: the middle square of each is taken, at {own.side} x {own.side}")


def _each(function: Callable, items: Sequence) -> list:
    """[function(item)] of all items. Raises `UserError` that names those it fails for."""
    def guarded(item):
        try:
            return function(item)
        except UserError as error:
            return error

    with ThreadPool() as pool:
        results = pool.map(guarded, items)
    failed = [(item, result) for item, result in zip(items, results) if isinstance(result, UserError)]
    if failed:
        others = ", ".join(str(item) for item, _ in failed[1:4])
        raise UserError(f"{failed[0][1]}" + (f"; {len(failed) - 1} more like it: {others}" if others else ""))
    return results
