"""From images as distributed to images as the networks see them: affine-MNIST, brightness and contrast, ranges."""

import functools
import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import ndimage

from lib import randomness
from lib.classifiers import real_images
from lib.data import batching, folders, from_tfds, origin, own, sources
from lib.errors import UserError, reason
from lib.run.place import Origin
from memorygan.config import DATASETS, Config, DataSet

_SIDE = DATASETS["affmnist"].side
_LARGEST_ROTATION = 20  # degrees
# A 28x28 digit has 13 places per axis in 40x40; the original never draws the last.
_PLACES = 12
_BRIGHTNESS = 16.0 / 255.0
_CONTRAST = (0.8, 1.2)
_SOURCE = {"mnist": "mnist28", "fashion": "fashion28"}  # what a data set is called there, if otherwise
_ARRAY = "small_chairs.npy"  # the only file of chairs that the original's code reads
_TFDS_SOURCE = "https://drive.google.com/"  # of CelebA


class Augmentation(NamedTuple):
    """One change of brightness and one of contrast for a whole batch; the defaults change nothing."""

    delta: tf.Tensor | float | None = None
    factor: tf.Tensor | float | None = None


def draw_augmentation(seed: int, name: str, iteration) -> Augmentation:
    """Brightness within 16/255 either way, contrast 0.8 to 1.2; `name`: of the step, for each step draws its own."""
    def uniform(quantity, low, high):
        return tf.random.stateless_uniform([], randomness.key(seed, f"{name}/{quantity}", iteration), low, high)

    return Augmentation(uniform("brightness", -_BRIGHTNESS, _BRIGHTNESS), uniform("contrast", *_CONTRAST))


def preprocess(data: DataSet, images: tf.Tensor, augmentation: Augmentation = Augmentation()) -> tf.Tensor:
    """Images [n, h, w, c] in 0..255 -> float32 in [0, 1] or [-1, 1], whichever the data set's networks take."""
    x = tf.cast(images, tf.float32) / 255.0
    if augmentation.delta is not None:
        x += augmentation.delta
        mean = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
        x = (x - mean) * augmentation.factor + mean
    x = tf.clip_by_value(x, 0.0, 1.0)
    return x if data.unit_range else 2.0 * x - 1.0


def place(digit: np.ndarray, degrees: int, row: int, column: int) -> np.ndarray:
    """A uint8 [28, 28] digit, rotated about its centre by cubic splines, at (row, column) of a black uint8 [40, 40]."""
    square = np.zeros((_SIDE, _SIDE), np.uint8)
    height, width = digit.shape
    square[row:row + height, column:column + width] = ndimage.rotate(digit, degrees, reshape=False)
    return square


def distort(digits: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """uint8 [n, 28, 28, 1] and the integers `draw_distortions` gives [n, 3] -> uint8 [n, 40, 40, 1]."""
    return np.stack([place(digit[..., 0], degrees - _LARGEST_ROTATION, row, column)
                     for digit, (degrees, row, column) in zip(digits, draws)])[..., None]


def draw_distortions(seed: int, stream: str, count: int, *counters: int) -> np.ndarray:
    """int64 [count, 3]: rotation in degrees plus 20 (0..40), row and column offsets (0..11).

    Every drawing of an image distorts it anew, as in the original.
    """
    return distortions(randomness.host_generator(seed, f"affine/{stream}", *counters), count)


def distortions(generator: np.random.Generator, count: int) -> np.ndarray:
    """The same from a generator of the caller's."""
    return generator.integers([2 * _LARGEST_ROTATION + 1, _PLACES, _PLACES], size=(count, 3))


class AffineBatches:
    """Batches of digits uint8 [n, 28, 28, 1], each distorted at the moment it is drawn."""

    def __init__(self, batches: batching.Batches, seed: int):
        self._batches, self._seed = batches, seed

    def take(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Batches start .. start + count - 1: uint8 [count, batch, 40, 40, 1] and int32 [count, batch]."""
        digits, labels = self._batches.take(start, count)
        distorted = [distort(batch, draw_distortions(self._seed, "train", len(batch), start + k))
                     for k, batch in enumerate(digits)]
        return np.stack(distorted), labels


def _source(config: Config) -> str:
    return _SOURCE.get(config.dataset, config.dataset)


def paths(config: Config, data_dir: str) -> list[str]:
    """The files that `load` reads, none for image folders."""
    return [] if config.data.folder or config.dataset == own.NAME else sources.files(_source(config), data_dir)


def load(config: Config, split: str, data_dir: str) -> sources.Arrays:
    """All images of an in-memory data set's split ("train" or "test") as distributed, in file order."""
    if config.dataset != "mnist":
        return sources.load(_source(config), split, data_dir)
    # The original trains on all 60,000 images, also on those that MeRGAN keeps for validation.
    parts = ["validation", "train"] if split == "train" else ["test"]
    arrays = [sources.load("mnist28", part, data_dir) for part in parts]
    return sources.Arrays(*(np.concatenate(fields) for fields in zip(*arrays)))


def load_test_images(config: Config, data_dir: str) -> np.ndarray | None:
    """uint8 [n, side, side, channels], those of affine-MNIST distorted; None for folders, which have no test split."""
    if config.data.folder:
        return None
    if config.dataset == own.NAME:
        return real_images.load(own.opened(data_dir, config.side), "test", data_dir).images
    images = load(config, "test", data_dir).images
    if config.dataset == "affmnist":
        return distort(images, draw_distortions(config.seed, "test", len(images)))
    return images


class TrainingSet(NamedTuple):
    """The images to learn: `batches.take(start, count)` gives uint8 [count, batch, h, w, c] and labels."""

    examples: int
    batches: batching.Batches | batching.FolderBatches | AffineBatches
    origin: Origin


def _open_images(data: DataSet, folder: str) -> tuple[folders.Images, str]:
    """The middle squares of the images in a folder, or in the array that the original reads, or of TFDS; and where they
    lie, in words."""
    array = os.path.join(folder, _ARRAY)
    if data.folder == "chair" and os.path.lexists(array):
        return _of_array(array), f"file {array}"
    if folders.is_directory(folder) or not data.tfds:
        decode = functools.partial(folders.decode, crop=True)
        return folders.Images(folders.files(folder), decode), f"image files below {folder}"
    examples = from_tfds.open_images(data.tfds, "train", _TFDS_SOURCE, f"no images in {folder}",
                                    f"put them there, or say --data_dir, or run `tfds build {data.tfds} "
                                    f"--file_format=array_record` where there is a network")
    images = folders.Images(examples, lambda example, side: folders.fit(Image.fromarray(example["image"]), side, True))
    return images, from_tfds.described(data.tfds, file_format="array_record")


def _of_array(path: str) -> folders.Images:
    """Images of an array [n, h, w], [n, h, w, 1 or 3] or [n, side * side] of bytes, read as they are needed."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    shape = array.shape
    if len(shape) == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        shape = (len(array), math.isqrt(shape[1]), math.isqrt(shape[1]))
    if array.dtype != np.uint8 or len(shape) not in (3, 4) or shape[3:] not in ((), (1,), (3,)) or 0 in shape:
        raise UserError(f"{path}: {array.dtype} {list(array.shape)}; an array of bytes [n, h, w] or [n, h, w, 1 or 3] "
                        "was expected")

    def decode(row: int, side: int) -> np.ndarray:
        image = np.broadcast_to(array[row].reshape(*shape[1:3], -1), (*shape[1:3], 3))
        return folders.fit(Image.fromarray(np.ascontiguousarray(image)), side, True)

    return folders.Images(range(len(array)), decode)


def cumulative_order(count: int, batch_size: int, stream: str, shuffle: Callable[[int], np.ndarray]) -> batching.Order:
    """The original's order: the first epoch as the images lie, then each epoch a shuffling of the one before.

    Args:
      stream: names the data in messages.
      shuffle: i -> the permutation of 0 .. count - 1 that ends epoch i.

    Raises:
      UserError: fewer images than a batch.
    """
    def permutation(epoch: int) -> np.ndarray:
        return functools.reduce(lambda before, i: before[shuffle(i)], range(epoch), np.arange(count))

    return batching.permuted_order(count, batch_size, stream, permutation)


def _stored_images(config: Config, images: folders.Images, source: str, kinds: Sequence[folders.Images]) -> TrainingSet:
    """Of images that stay in storage; `kinds`: the same, as `origin.of_images` takes them."""
    batches = batching.FolderBatches(images.paths, 0, config.data.side, config.batch_size, config.seed, config.dataset,
                                     decode=images.decode, channels=config.data.channels)
    return TrainingSet(len(images.paths), batches, origin.of_images(source, kinds))


def _own_images(config: Config, found: own.Own) -> TrainingSet:
    """Of all classes together."""
    if found.is_large:
        together = folders.Images(found.paths("train"), found.train[0].decode)
        return _stored_images(config, together, found.source, found.train)
    arrays = found.arrays("train")
    batches = batching.Batches(*arrays, config.batch_size, config.seed, config.dataset)
    return TrainingSet(len(arrays.labels), batches, origin.of_arrays(found.source, [arrays]))


def open_training(config: Config, data_dir: str) -> TrainingSet:
    """Raises `UserError` for data that are missing, broken, or fewer than a batch."""
    if config.dataset == own.NAME:
        return _own_images(config, own.opened(data_dir, config.side))
    if config.data.folder:
        images, source = _open_images(config.data, os.path.join(data_dir, config.data.folder))
        return _stored_images(config, images, source, [images])
    arrays = load(config, "train", data_dir)
    count, source = len(arrays.images), sources.described(_source(config), data_dir)
    found = origin.of_arrays(source, [arrays])
    order = cumulative_order(count, config.batch_size, config.dataset,
                             functools.partial(batching.epoch_order, count, config.seed, config.dataset))
    batches = batching.Batches(*arrays, config.batch_size, config.seed, config.dataset, order)
    if config.dataset == "affmnist":
        return TrainingSet(count, AffineBatches(batches, config.seed), found)
    return TrainingSet(count, batches, found)
