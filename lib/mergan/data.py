"""The training images of a data set, one class at a time or all together, from memory or from storage."""

from collections.abc import Sequence

import numpy as np

from lib.data import batching, folders, sources

STORED = ("lsun",)  # too large for memory: read from image folders as they are needed


class ByClass:
    """Batches of the training images of `classes` (names; a class's label is its position).

    `side`: of the images, for those that are resized on reading. `tf1_exact`: the original's order for lsun.
    Raises `UserError` for data that are missing or broken.
    """

    def __init__(self, dataset: str, classes: Sequence[str], side: int, data_dir: str, batch_size: int, seed: int,
                 tf1_exact: bool = False):
        self._classes, self._side, self._batch_size = classes, side, batch_size
        self._seed, self._tf1_exact = seed, tf1_exact
        if dataset in STORED:
            self._stored = [folders.of_class(data_dir, dataset, name, "train") for name in classes]
        else:
            train, test = (sources.load(dataset, split, data_dir) for split in ("train", "test"))
            print("\n".join(sources.describe(dataset, train, test, data_dir)))
            self._arrays = sources.of_classes(train, range(len(classes)), f"{dataset} (train)")
            self._stored = None

    def of(self, label: int):
        """Batches of one class: an object with `take(start, count)`, see `streams`."""
        stream = f"class {self._classes[label]}"
        if self._stored:
            paths, decode = self._stored[label]
            return batching.FolderBatches(paths, label, self._side, self._batch_size, self._seed, stream,
                                         self._tf1_exact, decode=decode)
        images, labels = sources.of_classes(self._arrays, [label], stream)
        return batching.Batches(images, labels, self._batch_size, self._seed, stream)

    def mixed(self):
        """Batches of all classes together."""
        if self._stored:
            places = [(label, path) for label, images in enumerate(self._stored) for path in images.paths]
            labels = np.repeat(np.arange(len(self._stored)), [len(images.paths) for images in self._stored])
            return batching.FolderBatches(places, labels, self._side, self._batch_size, self._seed, "all classes",
                                         decode=self._decode)
        return batching.Batches(*self._arrays, self._batch_size, self._seed, "all classes")

    def _decode(self, place: tuple[int, object], side: int) -> np.ndarray:
        label, path = place
        return self._stored[label].decode(path, side)
