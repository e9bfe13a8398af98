"""Topic `data`: loaders on synthetic files, batching, conversions and saved pictures."""

import functools
import gzip
import re
import struct
import tempfile
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from lib import pictures
from lib.data import batching, folders, sources
from lib.mergan import data as mergan_data
from tests.golden import records, registry
from tests.golden.records import Comparison

# How the original holds arrays in memory (the port: uint8 images and int32 labels until they are converted), how its
# inputs are described, and accidents that the port mends: lsun's class read from a fixed position in the path, grey
# images as errors, one array refilled for every batch.
SETTINGS = frozenset({"dtype", "label_dtype", "input", "source", "key", "name", "generator_output", "epoch", "images",
                      "batch", "file_train", "file_test", "lsun_path_component", "lsun_default_dir_error",
                      "lsun_grey_error", "same_array_object_each_time", "labels_of_last_batch"})
# Tiny synthetic pictures: what the port draws is compared with them value by value.
_FIELDS = {"mode": "png_mode", "shape": "png_shape", "min": "png_min", "max": "png_max", "sum": "png_sum"}


# The case that a tensor belongs to, by the second part of its key.
_CASES = {"lsun": "lsun_resize", "grid": "grids"}


def cases(document):
    held = document["cases"]
    compare = {"mnist": _mnist, "svhn": _svhn, "lsun_resize": _lsun_images, "grids": _grids,
               **{name: functools.partial(_lsun_small, name=name) for name in held
                  if name.startswith("lsun_resize_small")},
               "lsun_batching": _lsun_batches, "conversion_ends": _conversion_ends,
               "sample_conversion": functools.partial(_conversion, name="sample_conversion"),
               "groundtruth_conversion": functools.partial(_conversion, name="groundtruth_conversion")}
    return {name: functools.partial(_in_directory, function, document) for name, function in compare.items()
            if name in held}


def _in_directory(compare, document):
    """Let a case write its files somewhere."""
    with tempfile.TemporaryDirectory() as directory:
        yield from compare(document, Path(directory))


def place(path: tuple) -> str:
    if path[0] == "tensors":
        first, _, rest = path[1].removeprefix("data/").partition("/")
        return f"{_CASES.get(first, first)}/{rest}"
    return registry.place(path)


def _exact(group: str, path: tuple, ours) -> Comparison:
    return Comparison(group, ("cases", *path), ours, records.EXACT)


def _fields(group: str, path: tuple, held: dict, ours: dict):
    """Compare exactly those of `ours` that a case holds."""
    for name, value in ours.items():
        if name in held:
            yield _exact(group, (*path, name), value)


def _tensor(group: str, name: str, ours) -> Comparison:
    return Comparison(group, ("tensors", name), np.asarray(ours), records.OUTPUTS)


def _bytes(document, name: str, shape, low: int = 0, high: int = 256) -> np.ndarray:
    return records.floored(f"{document['prefix']}/in/data/{name}", shape, low, high).astype(np.uint8)


def _unit(images: np.ndarray) -> np.ndarray:
    """The port's float images, brought from [-1, 1] to the original's [0, 1]."""
    return (pictures.to_float(images).numpy() + 1) / 2


def _nchw(shape) -> list[int]:
    count, height, width, channels = shape
    return [count, channels, height, width]


# --- MNIST ------------------------------------------------------------------------------------------------------------


def _write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), 1))


def _mnist(document, directory: Path):
    case = document["cases"]["mnist"]
    folder = directory / "mnist"
    folder.mkdir()
    raw = {}
    for split, file in (("train", "train"), ("test", "t10k")):
        count = case[f"file_{split}"]
        raw[split] = _bytes(document, f"mnist/{split}_images", [count, 28, 28])
        _write_idx(folder / f"{file}-images-idx3-ubyte.gz", raw[split])
        _write_idx(folder / f"{file}-labels-idx1-ubyte.gz",
                   _bytes(document, f"mnist/{split}_labels", [count], 0, 10))
    splits = {split: sources.load("mnist", split, str(directory)) for split in ("train", "validation", "test")}
    train = _unit(splits["train"].images)
    start = next(number for number, image in enumerate(raw["train"])
                 if np.array_equal(image, splits["train"].images[0, 2:-2, 2:-2, 0]))
    yield from _fields("mnist", ("mnist",), case, {
        **{split: list(arrays.images.shape) for split, arrays in splits.items()},
        "train_first_is_file_index": start, "train_min": float(train.min()), "train_max": float(train.max())})
    for name, held in case.items():
        if match := re.fullmatch(r"(train|validation|test)_class(\d+)", name):
            yield from _class(name, held, splits[match[1]], int(match[2]))
    for split, name in (("train", "training"), ("validation", "validation"), ("test", "test")):
        yield _tensor("mnist", f"data/mnist/first_{name}_image", _unit(splits[split].images[:1])[0])
    for key in document["tensors"]:
        if match := re.fullmatch(r"data/mnist/(train|validation|test)_class(\d+)_mean_image", key):
            of_class = sources.of_classes(splits[match[1]], [int(match[2])], key)
            yield _tensor("mnist", key, _unit(of_class.images).mean(axis=0))


def _class(name: str, held: dict, split, label: int):
    size = held["batch_shape"][0]
    images, labels = sources.of_classes(split, [label], name)
    batches = batching.Batches(images, labels, size, seed=0, stream=name)
    (batch,), (batch_labels,) = batches.take(0, 1)
    yield from _fields("mnist", ("mnist", name), held, {
        "images_of_class": len(images), "batch_shape": _nchw(batch.shape),
        "batch_dtype": pictures.to_float(batch).dtype.name, "labels_seen": sorted(set(batch_labels.tolist())),
        f"batches_of_{size}_per_epoch": batching.shuffled_order(len(images), size, 0, name).batches_per_epoch})


# --- SVHN -------------------------------------------------------------------------------------------------------------


def _svhn(document, directory: Path):
    case = document["cases"]["svhn"]
    folder = directory / "svhn"
    folder.mkdir()
    counts = {split: case[split][0] for split in ("train", "test")}
    images = _bytes(document, "svhn/train_X", [32, 32, 3, counts["train"]])
    raw = _bytes(document, "svhn/train_y", [counts["train"], 1], 1, 11)
    scipy.io.savemat(folder / "train_32x32.mat", {"X": images, "y": raw})
    # No figure depends on what the test images are.
    scipy.io.savemat(folder / "test_32x32.mat", {"X": np.zeros([32, 32, 3, counts["test"]], np.uint8),
                                                 "y": np.ones([counts["test"], 1], np.uint8)})
    train, test = (sources.load("svhn", split, str(directory)) for split in ("train", "test"))
    yield from _fields("svhn", ("svhn",), case, {
        "train": _nchw(train.images.shape), "test": _nchw(test.images.shape), "raw_y": raw[:, 0],
        "labels": train.labels, "sizes": f"X {list(images.shape)} uint8, y {list(raw.shape)} uint8"})
    yield _tensor("svhn", "data/svhn/first_training_image", _unit(train.images[:1])[0].transpose(2, 0, 1))


# --- LSUN -------------------------------------------------------------------------------------------------------------


def _key_name(document, entry: dict) -> str:
    """A case's key below in/data/."""
    return entry["key"].removeprefix(f"{document['prefix']}/in/data/")


def _lsun_images(document, directory: Path):
    for number, held in enumerate(document["cases"]["lsun_resize"]):
        height, width = map(int, re.search(r"(\d+)x(\d+)$", held["key"]).groups())
        name = f"data/lsun/resized_from_{height}x{width}"
        path = directory / "image.png"
        Image.fromarray(_bytes(document, _key_name(document, held), [height, width, 3])).save(path)
        ours = folders.decode(str(path), document["tensors"][name]["shape"][0])
        group = f"lsun from {height}x{width}"
        yield _tensor(group, name, ours)
        yield _exact(group, ("lsun_resize", number, "sum"), int(ours.sum()))
        for field in held:
            if match := re.fullmatch(r"row(\d+)_first(\d+)_pixels", field):
                yield _exact(group, ("lsun_resize", number, field), ours[int(match[1]), :int(match[2])])


def _lsun_small(document, directory: Path, name: str):
    """The filter itself, at sizes that the loader does not use: Pillow today, and Pillow 4.3 to a grey level."""
    case = document["cases"]["lsun_resize_small"]
    height, width = map(int, re.search(r"(\d+)x(\d+)$", case["key"]).groups())
    source = _bytes(document, _key_name(document, case), [height, width, 3])
    for field, theirs in document["cases"][name].items():
        if match := re.fullmatch(r"output_(\d+)x(\d+)", field):
            size = int(match[2]), int(match[1])
            ours = np.asarray(Image.fromarray(source).resize(size, Image.Resampling.BILINEAR))
            level = records.EXACT if "with" in name else 1 / np.max(theirs)
            yield Comparison("lsun filter", ("cases", name, field), ours, level)


def _lsun_batches(document, directory: Path):
    case = document["cases"]["lsun_batching"]
    count, size = case["images"], case["batch"]
    for number, held in enumerate(case["epochs"]):
        order = mergan_data.tf1_epoch_order(count, held["epoch"])
        yield from _fields("lsun batches", ("lsun_batching", "epochs", number), held, {
            "shuffled_order": order, "batches": mergan_data.tf1_slots(order, size)})


# --- Pictures ---------------------------------------------------------------------------------------------------------


def _conversion_ends(document, directory: Path):
    case = document["cases"]["conversion_ends"]
    ends = np.array(case["generator_output"], np.float32)
    yield from _fields("conversions", ("conversion_ends",), case, {
        "groundtruth_int": pictures.groundtruth_pixels(ends), "png_int": pictures.truncated_pixels(ends),
        "classifier_int": pictures.to_classifier_input(ends).numpy().astype(int)})


def _conversion(document, directory: Path, name: str):
    pixels = _converted(document["cases"], name)
    yield from _fields("conversions", (name,), document["cases"][name], {
        "sum": int(pixels.sum()), "minmax": [int(pixels.min()), int(pixels.max())],
        "first16": pixels.ravel()[:16], "factor": float(pictures.groundtruth_pixels(np.ones(1))[0]) / 2})


def _uniform(description: str, key: str) -> np.ndarray:
    """The array of `det_uniform(key, [shape], low, high)` in a description."""
    shape, low, high = re.search(r"det_uniform\([^\[]*\[([\d,]+)\],([^,]+),([^)]+)\)", description).groups()
    return records.uniform(key, [int(size) for size in shape.split(",")], float(low), float(high))


def _converted(cases, name: str) -> np.ndarray:
    """Integer pixels of one of the two conversion cases."""
    drawn = _uniform(cases[name]["input"], cases[name]["key"])
    if name == "sample_conversion":
        return pictures.truncated_pixels(drawn)
    return pictures.groundtruth_pixels(2 * (drawn - np.float32(0.5)))


def _grids(document, directory: Path):
    for number, held in enumerate(document["cases"]["grids"]):
        path = directory / "grid.png"
        pictures.save_grid(path, _grid_pixels(held, document["cases"]))
        with Image.open(path) as image:
            mode, picture = image.mode, np.asarray(image)
        statistics = {"mode": mode, "shape": list(picture.shape), "min": int(picture.min()),
                      "max": int(picture.max()), "sum": int(picture.sum())}
        ours = {_FIELDS[name]: value for name, value in statistics.items()} | {"png": picture}
        yield from _fields("pictures", ("grids", number), held, ours)
        yield _tensor("pictures", f"data/grid/{held['name']}", picture)


def _grid_pixels(held: dict, cases) -> np.ndarray:
    """What is to be drawn, NHWC. Three equal channels are given as one: the port makes three of it."""
    description = held["input"]
    if match := re.search(r"array of (\w+), reshaped \[([\d,]+)\]", description):
        pixels = _converted(cases, match[1]).reshape([int(size) for size in match[2].split(",")])
    elif match := re.search(r"all (\d+)$", description):
        pixels = np.full([int(size) for size in re.findall(r"\d+", held["name"])], int(match[1]))
    else:
        pixels = _uniform(description, re.search(r'"([^"]+)"', description)[1])
        # The original's first step with floats, which the port never draws.
        pixels = np.floor(pixels) if "floor" in description else (255.99 * pixels).astype(np.uint8)
    return pixels.astype(np.int32).transpose(0, 2, 3, 1)
