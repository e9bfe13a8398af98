"""The training images of a data set, one class at a time or all together, from memory or from storage."""

import numpy as np

from lib.data import batching, folders, origin, own, sources
from lib.mergan.config import Config

STORED = ("lsun",)  # too large for memory: read from image folders as they are needed


def data_set(config: Config, data_dir: str) -> str | own.Own:
    """What a run learns: the name of a data set, or one's own images."""
    return own.opened(str(data_dir), config.side) if config.dataset == own.NAME else config.dataset


class TrainingImages:
    """The images that a run learns, task by task; `limited`: whether a class has more than are learned.

    Raises:
      UserError: data that are missing or broken, or fewer than a batch.
    """

    def __init__(self, config: Config, data_dir: str):
        self._config = config
        classes, found = config.data.classes, data_set(config, data_dir)
        mine = found if isinstance(found, own.Own) else None
        if mine.is_large if mine else config.dataset in STORED:
            every = mine.train if mine else [folders.of_class(data_dir, config.dataset, name, "train")
                                             for name in classes]
            most = config.images_per_class or None
            self._folders = [images._replace(paths=images.paths[:most]) for images in every]
            self.limited = any(len(kept.paths) < len(images.paths) for kept, images in zip(self._folders, every))
            self.origin = origin.of_images(mine.source if mine else f"{config.dataset} images below {data_dir}",
                                           self._folders)
        else:
            train, test = (mine.arrays(split) if mine else sources.load(config.dataset, split, data_dir)
                           for split in ("train", "test"))
            print("\n".join(sources.describe(config.dataset, train, test, data_dir)))
            arrays = sources.of_classes(train, range(len(classes)), f"{config.dataset} (train)")
            self._arrays = _first_of_each(arrays, config.images_per_class) if config.images_per_class else arrays
            self.limited = len(self._arrays.labels) < len(arrays.labels)
            self.origin = origin.of_arrays(mine.source if mine else sources.described(config.dataset, data_dir),
                                           [self._arrays])
            self._folders = None
        if mine and not config.joint:  # before hours of training
            for name, label in zip(classes, range(config.first_tasks or len(classes))):
                batching.require(int(np.sum(self._labels() == label)), config.batch_size, f"class {name}")

    def batches(self, task: int) -> batching.Batches | batching.FolderBatches:
        """Those of a task: of one class or, in joint training, of all of them."""
        return self._of_all() if self._config.joint else self._of_class(task)

    def _of_class(self, label: int):
        config, stream = self._config, f"class {self._config.data.classes[label]}"
        if self._folders:
            images = self._folders[label]
            order = tf1_order(len(images.paths), config.batch_size, stream) if config.tf1_exact else None
            return batching.FolderBatches(images.paths, label, config.data.side, config.batch_size, config.seed, stream,
                                          order, images.decode, config.data.channels)
        images, labels = sources.of_classes(self._arrays, [label], stream)
        return batching.Batches(images, labels, config.batch_size, config.seed, stream)

    def _of_all(self):
        config, stream = self._config, "all classes"
        if not self._folders:
            return batching.Batches(*self._arrays, config.batch_size, config.seed, stream)
        places = [(label, path) for label, images in enumerate(self._folders) for path in images.paths]
        return batching.FolderBatches(places, self._labels(), config.data.side, config.batch_size, config.seed, stream,
                                      decode=self._decode, channels=config.data.channels)

    def _labels(self) -> np.ndarray:
        """Of all images, int [n]."""
        if not self._folders:
            return self._arrays.labels
        return np.repeat(np.arange(len(self._folders)), [len(images.paths) for images in self._folders])

    def _decode(self, place: tuple[int, object], side: int) -> np.ndarray:
        label, path = place
        return self._folders[label].decode(path, side)


def _first_of_each(arrays: sources.Arrays, most: int) -> sources.Arrays:
    """At most so many images of each class, order kept."""
    kept = np.concatenate([np.flatnonzero(arrays.labels == label)[:most] for label in np.unique(arrays.labels)])
    return sources.Arrays(*(array[np.sort(kept)] for array in arrays))


def tf1_epoch_order(count: int, epoch: int) -> np.ndarray:
    """Of an epoch of the original's LSUN loader, whose epochs count from 1 and are their own seeds; int64 [count]."""
    order = np.arange(count)
    np.random.RandomState(epoch).shuffle(order)
    return order


def tf1_slots(order: np.ndarray, batch_size: int) -> np.ndarray:
    """Which image lies in which slot of each batch of the original's LSUN loader; [batches, batch_size].

    The loader puts image n of the order into slot n mod batch_size and yields after n = batch_size, 2 batch_size,
    ...: each batch has the image after it in slot 0, and image 0 of the order is overwritten before it is seen.
    """
    batches = (len(order) - 1) // batch_size
    slots = order[:batches * batch_size].reshape(batches, batch_size).copy()
    slots[:, 0] = order[batch_size:batches * batch_size + 1:batch_size]
    return slots


def tf1_order(count: int, batch_size: int, stream: str) -> batching.Order:
    """The original LSUN loader's order and slots, equal for every seed and class.

    It spends epoch 1 on the ground-truth picture and trains from epoch 2 on. `stream` stands in messages.

    Raises:
      UserError: fewer images than a batch takes.
    """
    batching.require(count, batch_size + 1, stream)
    return batching.Order((count - 1) // batch_size, lambda epoch: tf1_slots(tf1_epoch_order(count, 2 + epoch),
                                                                             batch_size))
