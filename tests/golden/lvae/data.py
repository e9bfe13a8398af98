"""Topic `data`: pixels, classes, the order of the images and the switching of distributions, on synthetic raw data;
topic `rotations`: the order of rotated distributions.
"""

import functools

import numpy as np

from lvae import data, distributions
from lvae.data import Samples
from lvae.distributions import Distribution
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

# The original writes copies of SVHN that it never reads.
SETTINGS = common.SETTINGS | {"files_written", "distribution", "numpy_global_seed", "digit", "n_train", "calls",
                              "batch", "key", "shape", "batch_size", "min_interval", "classes"}
_VALIDATION = 5000


def cases(document):
    compare = {"raw": _raw_images, "mnist": _mnist, "fashion": _fashion, "svhn": _svhn, "cifar": _cifar,
               "switching": _switches}
    return {name: functools.partial(function, document) for name, function in compare.items()}


def _raw_images(document):
    for name in document["raw"]:
        yield _tensor("raw", ("raw", name, "record"), _raw(document, name), f"raw/{name}")


def _raw(document, name) -> np.ndarray:
    entry = document["raw"][name]
    values = records.uniform(entry["key"], entry["shape"]).astype(np.float64)
    values = np.clip(2.0 * values - 1.0, 0.0, 1.0) if name.startswith("mnist") else values
    return np.floor(256.0 * values).clip(0, 255).astype(np.uint8)


def _labels(count: int, split: str) -> np.ndarray:
    return ((7 * np.arange(count) + (3 if split == "train" else 5)) % 10).astype(np.int32)


def _tensor(group, path, ours, key) -> Comparison:
    return Comparison(group, path, ours, records.OUTPUTS, key=key)


def _mnist(document):
    stored, train, test = document["mnist"], _raw(document, "mnist_train"), _raw(document, "mnist_test")
    labels = _labels(len(train), "train")
    splits = {"train": (train[_VALIDATION:], labels[_VALIDATION:]),
              "validation": (train[:_VALIDATION], labels[:_VALIDATION]),
              "test": (test, _labels(len(test), "test"))}
    for name in stored:
        if name == "full" or name.startswith(("digit_", "one_vs_all_")):
            for split, (images, numbers) in splits.items():
                yield from _mnist_split(name, split, images, numbers, stored[name][split])
    samples = Samples(test[..., None], splits["test"][1], data.unit)
    yield from _rotations(("mnist", "rotations"), stored["rotations"], samples, exact=False)
    yield from _low_contrast(stored["low_contrast"])
    for name in ("sampling", "sampling_batch"):
        case = stored[name]
        field = next(field for field in case if field.startswith("index_into_"))
        yield Comparison("mnist order", ("mnist", name, field), _order(case, splits, len(case[field])), records.EXACT)


def _rotations(path, stored, samples, exact):
    """The first images of a test set, turned by every angle."""
    for angle, record in stored.items():
        count = record["shape"][0]
        first = Samples(samples.values[:count], samples.labels[:count], samples.prepare)
        turned = distributions.rotated(first, int(angle), exact=exact).take(slice(None), (784,))
        yield _tensor(f"{path[0]} rotations", (*path, angle), turned, f"{path[0]}/rot/{angle}")


def _mnist_split(name, split, images, labels, stored):
    path, group = ("mnist", name, split), f"mnist {name}"
    kind, _, rest = name.rpartition("_") if name.startswith("one_vs_all") else ("", "", name.removeprefix("digit_"))
    kept = (np.ones(len(labels), bool) if name == "full" else data.one_vs_all(labels) if kind
            else labels == int(rest.split("_")[0]))
    images, labels = images[kept], labels[kept]
    if "32" in rest:
        pixels = data.resize(data.unit(images)) / 255.0
        pixels = np.repeat(pixels[..., None], 3, axis=-1) if "rgb" in rest else pixels
    else:
        pixels = data.unit(images) if "unflat" in rest else data.unit(images).reshape(len(images), -1)
    yield _tensor(group, (*path, "images"), pixels, f"mnist/{name}/{split}")
    yield Comparison(group, (*path, "n"), len(labels), records.EXACT)
    if "labels_head" in stored:
        yield Comparison(group, (*path, "labels_head"), labels[:len(stored["labels_head"])].tolist(), records.EXACT)
    if "labels" in stored:
        yield Comparison(group, (*path, "labels"), np.unique(labels).tolist(), records.EXACT)
    if "dtype" in stored:
        yield Comparison(group, (*path, "dtype"), str(pixels.dtype), records.EXACT)


def _low_contrast(stored):
    entry = stored["images"]
    values = (np.float32(0.25) + np.float32(0.5) * records.uniform(entry["key"], entry["shape"])).reshape(-1, 28, 28)
    turned = next(name for name in stored if name.startswith("rotated_"))
    yield _tensor("mnist low contrast", ("mnist", "low_contrast", "resized_32"), data.resize(values) / 255.0,
                  "mnist/low/resized")
    angle = int(turned.split("_")[1])
    yield _tensor("mnist low contrast", ("mnist", "low_contrast", turned),
                  data.unit(data.rotate(values, angle)).reshape(len(values), -1), f"mnist/low/rot{angle}")


def _order(case, splits, count) -> list[int]:
    """Rows in the order of a stream whose permutations are the successive shuffles of a seeded generator."""
    generator = np.random.RandomState(case["numpy_global_seed"])
    shuffled = [np.arange(case.get("n_train", (splits["train"][1] == 4).sum()))]

    def permutation(epoch):
        while len(shuffled) <= epoch + 1:
            following = shuffled[-1].copy()
            generator.shuffle(following)
            shuffled.append(following)
        return shuffled[epoch + 1]

    return distributions.Stream(len(shuffled[0]), permutation).rows(0, count).tolist()


def _fashion(document):
    stored = document["fashion"]
    made = {split: data.adaptive_threshold(_raw(document, f"fashion_{split}")) for split in ("train", "test")}
    labels = {split: _labels(len(images), split) for split, images in made.items()}
    for split, images in made.items():
        path, pixels = ("fashion", "thresholded", split), data.as_float(images).reshape(len(images), -1)
        yield _tensor("fashion", (*path, "images"), pixels, f"fashion/{split}")
        yield Comparison("fashion", (*path, "ones_per_image_first_8"), pixels[:8].sum(axis=1).astype(int).tolist(),
                         records.EXACT)
        yield Comparison("fashion", (*path, "dtype"), str(pixels.dtype), records.EXACT)
    name = next(name for name in stored if name.startswith("class_") and name.count("_") == 1)
    number, enlarged = int(name.split("_")[1]), f"{name}_cv2resize32_rgb"
    for split, images in made.items():
        chosen = images[labels[split] == number]
        yield _tensor("fashion", ("fashion", name, split, "images"), data.as_float(chosen).reshape(len(chosen), -1),
                      f"fashion/class{number}/{split}")
        yield Comparison("fashion", ("fashion", name, split, "n"), len(chosen), records.EXACT)
        colours = np.repeat(data.enlarge(chosen)[..., None], 3, axis=-1)
        yield _tensor("fashion", ("fashion", enlarged, split), colours, f"fashion/class{number}_32/{split}")
    test = Samples(made["test"][..., None], labels["test"], data.as_float)
    path = ("fashion", "rotations_not_divided_by_255")
    yield from _rotations(path, stored["rotations_not_divided_by_255"], test, exact=True)


def _svhn(document):
    raw = {split: _raw(document, f"svhn_{split}") for split in ("train", "test")}
    labels = {split: _labels(len(images), split) for split, images in raw.items()}
    rows, held = data.hold_out(len(labels["train"]))
    pixels = {split: data.per_pixel_range(images)(images) for split, images in raw.items()}
    for name, split, chosen in (("train", "train", rows), ("validation", "train", held),
                                ("test", "test", np.arange(len(labels["test"])))):
        yield _tensor("svhn", ("svhn", name, "images"), pixels[split][chosen], f"svhn/{name}")
        yield Comparison("svhn", ("svhn", name, "labels"), labels[split][chosen].tolist(), records.EXACT)
        yield Comparison("svhn", ("svhn", name, "dtype"), str(pixels[split].dtype), records.EXACT)


def _cifar(document):
    for split in ("train", "test"):
        images = data.unit(_raw(document, f"cifar_{split}"))
        labels = _labels(len(images), split)
        yield _tensor("cifar", ("cifar", split, "images"), images, f"cifar/{split}")
        yield Comparison("cifar", ("cifar", split, "labels_shape"), [len(labels), 1], records.EXACT)
        name = next(name for name in document["cifar"] if name.startswith("class_"))
        number = int(name.split("_")[1])
        chosen = images[labels == number]
        yield _tensor("cifar", ("cifar", name, split, "images"), chosen, f"cifar/class{number}/{split}")
        yield Comparison("cifar", ("cifar", name, split, "n"), len(chosen), records.EXACT)


def _switches(document):
    for name, case in document["switching"].items():
        yield from _switching(name, case)


def _switching(name, case):
    generator = np.random.RandomState(case["numpy_global_seed"])
    high, found = 13 * case["batch_size"], []
    numbers = [generator.randint(0, high) for _ in range(case["calls"])]
    switching = distributions.switches(case["batch_size"], case["min_interval"], case["classes"],
                                       lambda iteration: numbers[iteration])
    try:
        for iteration, following in switching:
            found.append([iteration, following])
    except IndexError:
        pass  # the calls are used up
    yield Comparison("switching", ("switching", name, "switches_[call index, new class]"), found, records.EXACT)


def compare_rotations(document, name):
    case, image = document["cases"][name], np.zeros([1, 28, 28, 1])
    upright = [Distribution("at 0", label, *[Samples(image, np.array([label]), data.unit)] * 2)
               for label in range(case["classes"])]
    found = [[part.label, int(part.name.rpartition(" ")[2])]
             for part in distributions.with_rotations(upright, exact=False)]
    yield Comparison("order of rotations", ("cases", name, "order"), found, records.EXACT)
