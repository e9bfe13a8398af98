"""From names to images: splits, layouts, the order of sources, and every way in which data can be wrong."""

import gzip
import json
import os
import pathlib

import numpy as np
import pytest

from lib.data import from_tfds, sources
from lib.errors import UserError
from tests import written
from tests.golden import records

GOLDEN = json.loads((pathlib.Path(records.__file__).parent / "figures" / "mergan_data.json").read_text())
PREFIX = f"{GOLDEN['prefix']}/in/data"


def assert_digest(tensor, key):
    for field, value in GOLDEN["tensors"][key].items():
        np.testing.assert_allclose(records.digest(tensor, key)[field], value, rtol=1e-7, atol=1e-7)


def drawn(name, shape, low, high):
    return records.floored(f"{PREFIX}/{name}", shape, low, high).astype(np.uint8)


@pytest.fixture(autouse=True)
def no_tfds(monkeypatch):
    """TFDS has nothing; what it was asked for stands in the error."""
    def read(name, split, url, missing, way_out):
        raise UserError(f"{missing}, TFDS asked for {name} {split}; {way_out}")

    monkeypatch.setattr(from_tfds, "read", read)


@pytest.fixture(scope="module")
def golden_mnist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    case = GOLDEN["cases"]["mnist"]
    splits = [(drawn(f"mnist/{split}_images", (case[f"file_{split}"], 28, 28), 0, 256),
               drawn(f"mnist/{split}_labels", (case[f"file_{split}"],), 0, 10)) for split in ("train", "test")]
    written.mnist_files(folder / "mnist", *splits)
    return str(folder)


def to_unit(images):
    return images.astype(np.float32) * np.float32(1 / 255)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_golden_mnist(golden_mnist, split):
    case = GOLDEN["cases"]["mnist"]
    arrays = sources.load("mnist", split, golden_mnist)
    assert arrays.images.dtype == np.uint8 and arrays.labels.dtype == np.int32
    assert list(arrays.images.shape) == case[split] and len(arrays.labels) == case[split][0]
    name = {"train": "training"}.get(split, split)
    assert_digest(to_unit(arrays.images[0]), f"data/mnist/first_{name}_image")
    threes = sources.of_classes(arrays, [3], "mnist")
    assert len(threes.images) == case[f"{split}_class3"]["images_of_class"]
    assert set(threes.labels) == {3}
    if split == "train":
        assert_digest(to_unit(threes.images).mean(axis=0, dtype=np.float64), "data/mnist/train_class3_mean_image")


def test_golden_svhn(tmp_path):
    case = GOLDEN["cases"]["svhn"]
    count, tested = case["train"][0], case["test"][0]
    train = {"X": drawn("svhn/train_X", (32, 32, 3, count), 0, 256), "y": drawn("svhn/train_y", (count, 1), 1, 11)}
    written.put(tmp_path / "svhn" / "train_32x32.mat", written.mat(train))
    written.put(tmp_path / "svhn" / "test_32x32.mat", written.mat(written.svhn(tested)))
    arrays = sources.load("svhn", "train", str(tmp_path))
    assert arrays.images.shape == (count, 32, 32, 3) and arrays.labels.tolist() == case["labels"]
    assert_digest(arrays.images[0].transpose(2, 0, 1) / 255, "data/svhn/first_training_image")
    assert len(sources.load("svhn", "test", str(tmp_path)).labels) == tested


@pytest.fixture
def small(tmp_path, monkeypatch):
    """mnist with 8 training images, 3 of them for validation, and 4 test images; labels 0, 1, 2, ..."""
    for name in ("mnist", "mnist28"):
        monkeypatch.setitem(sources.SOURCES, name, sources.SOURCES[name]._replace(validation=3))
    images = written.random_images(12, 28, 1)[..., 0]
    train, test = (images[:8], np.arange(8)), (images[8:], np.arange(4))
    written.mnist_files(tmp_path / "mnist", train, test)
    return tmp_path


def test_splits_padding_and_classes(small):
    whole = sources.load("mnist28", "train", str(small))
    padded = sources.load("mnist", "train", str(small))
    assert whole.images.shape == (5, 28, 28, 1) and padded.images.shape == (5, 32, 32, 1)
    np.testing.assert_array_equal(padded.images[:, 2:30, 2:30], whole.images)
    padded.images[:, 2:30, 2:30] = 0
    assert not padded.images.any()
    assert whole.labels.tolist() == [3, 4, 5, 6, 7]
    assert sources.load("mnist", "validation", str(small)).labels.tolist() == [0, 1, 2]
    assert sources.of_classes(sources.load("mnist", "test", str(small)), [3, 1], "mnist").labels.tolist() == [1, 3]


def test_unpacked_files_are_as_good(small):
    expected = sources.load("mnist", "train", str(small))
    for path in (small / "mnist").iterdir():
        written.put(path.with_suffix(""), gzip.decompress(path.read_bytes()))
        path.unlink()
    for ours, theirs in zip(sources.load("mnist", "train", str(small)), expected):
        np.testing.assert_array_equal(ours, theirs)


def test_affine_mnist_takes_mnist_where_it_has_no_copy(small):
    assert len(sources.load("affmnist", "train", str(small)).labels) == 8
    os.rename(small / "mnist", small / "affmnist")
    assert len(sources.load("affmnist", "train", str(small)).labels) == 8
    with pytest.raises(UserError, match="mnist: no train-images"):
        sources.load("mnist", "train", str(small))


def test_fashion_and_cifar10(tmp_path):
    images = written.random_images(3, 28, 1)[..., 0]
    written.mnist_files(tmp_path / "fashion", (images, [9, 0, 4]), (images[:1], [2]))
    arrays = sources.load("fashion28", "train", str(tmp_path))
    np.testing.assert_array_equal(arrays.images[..., 0], images)
    assert arrays.labels.tolist() == [9, 0, 4]
    for name, data in written.cifar_members(2).items():
        written.put(tmp_path / "cifar10" / name, data)
    assert sources.load("cifar10", "train", str(tmp_path)).images.shape == (10, 32, 32, 3)
    assert sources.load("cifar10", "test", str(tmp_path)).images.shape == (2, 32, 32, 3)


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits
    digits = load_digits()
    train, test = sources.load("digits", "train"), sources.load("digits", "test")
    for arrays in (train, test):
        assert arrays.images.shape[1:] == (32, 32, 1) and arrays.images.dtype == np.uint8
        assert arrays.labels.dtype == np.int32
    counts = np.bincount(digits.target)
    assert (np.bincount(test.labels) == counts // 5).all()
    assert (np.bincount(train.labels) == counts - counts // 5).all()
    assert train.images.max() == 255 and train.images.min() == 0
    # Scaling up keeps the mean grey value of each picture, and the original first digit comes first.
    assert train.labels[0] == digits.target[0]
    assert abs(train.images[0].mean() - digits.images[0].mean() * 255 / 16) < 2
    # No picture is in both.
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


def test_sources_come_in_order(small, monkeypatch):
    def tfds(name, split, url, missing, way_out):
        return np.full((4, 28, 28, 1), 7, np.uint8), np.arange(4, dtype=np.int32)

    monkeypatch.setattr(from_tfds, "read", tfds)
    assert not (sources.load("mnist28", "train", str(small)).images == 7).all()
    elsewhere = sources.load("mnist28", "train", str(small / "absent"))
    assert (elsewhere.images == 7).all() and elsewhere.labels.tolist() == [3]


def test_nothing_anywhere_names_paths_files_and_the_way_out(tmp_path):
    with pytest.raises(UserError) as caught:
        sources.load("mnist", "validation", str(tmp_path))
    for part in ("mnist: ", *sum(sources._IDX_FILES.values(), ()), str(tmp_path / "mnist"),
                 "TFDS asked for mnist train", "put the files there", "--data_dir", "tfds build mnist",
                 "--dataset digits"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    for name, tfds_name in (("svhn", "svhn_cropped"), ("fashion", "fashion_mnist"), ("cifar10", "cifar10")):
        with pytest.raises(UserError, match=f"TFDS asked for {tfds_name} test"):
            sources.load(name, "test", str(tmp_path))


@pytest.mark.parametrize("arguments, message", [
    (("minst", "train"), "unknown data set 'minst'; known: .*mnist, .*digits"),
    (("mnist", "training"), "no split 'training'"),
    (("svhn", "validation"), "no split 'validation'; there are train and test$"),
    (("digits", "validation"), "no split 'validation'"),
])
def test_unknown_names(tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        sources.load(*arguments, str(tmp_path))


def test_classes_without_images(small):
    with pytest.raises(UserError, match=r"mnist \(train\): no image of class 9 among 5"):
        sources.of_classes(sources.load("mnist", "train", str(small)), [3, 9], "mnist (train)")


@pytest.mark.parametrize("name, data, message", [
    ("train-images-idx3-ubyte.gz", b"", "begins with the bytes"),
    ("train-images-idx3-ubyte.gz", b"<html>not found</html>", "begins with the bytes"),
    ("train-images-idx3-ubyte.gz", written.idx(np.zeros((8, 28, 27), np.uint8)), r"images \[8, 28, 27, 1\] instead"),
    ("train-images-idx3-ubyte.gz", written.idx(np.zeros((7, 28, 28), np.uint8)), "7 images but 8 labels"),
    ("train-images-idx3-ubyte.gz", written.idx(np.zeros((0, 28, 28), np.uint8)), r"images \[0"),
    ("train-images-idx3-ubyte.gz", written.idx(np.zeros(8, np.uint8)), "begins with"),
    ("train-labels-idx1-ubyte.gz", written.idx(np.arange(3, 11, dtype=np.uint8)), "labels from 3 to 10"),
])
def test_broken_files_are_never_replaced(small, monkeypatch, name, data, message):
    monkeypatch.setattr(from_tfds, "read", lambda *_: pytest.fail("TFDS was asked"))
    written.put(small / "mnist" / name, data)
    with pytest.raises(UserError, match=message):
        sources.load("mnist", "train", str(small))


def test_missing_files_are_named(small):
    (small / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match="t10k-labels-idx1-ubyte.gz missing in .*mnist"):
        sources.load("mnist", "train", str(small))


def test_nothing_left_to_train_on(small, monkeypatch):
    monkeypatch.setitem(sources.SOURCES, "mnist", sources.SOURCES["mnist"]._replace(validation=8))
    with pytest.raises(UserError, match="8 images, of which the first 8 are for validation"):
        sources.load("mnist", "train", str(small))


def test_lines_of_the_original_loaders(small):
    def described(name):
        train, test = (sources.load(name, split, str(small)) for split in ("train", "test"))
        return sources.describe(name, train, test, str(small))

    folder = small / "mnist"
    assert described("mnist") == [
        f"Extracting {folder}/train-images-idx3-ubyte.gz", f"Extracting {folder}/train-labels-idx1-ubyte.gz",
        f"Extracting {folder}/t10k-images-idx3-ubyte.gz", f"Extracting {folder}/t10k-labels-idx1-ubyte.gz",
        "Training Set:   5 samples", "Validation Set: 3 samples", "Test Set:       4 samples",
        "Labels: [3 4 5 6 7]", "Original Image Shape: (28, 28, 1)", "Updated Image Shape: (32, 32, 1)"]
    assert described("digits") == [
        "Training Set:   1442 samples", "Test Set:       355 samples", "Image Shape: (32, 32, 1)"]


def test_real_mnist(real_data):
    sizes = {split: len(sources.load("mnist", split, str(real_data)).labels)
             for split in ("train", "validation", "test")}
    assert sizes == {"train": 55000, "validation": 5000, "test": 10000}
    # The first labels of the published files, and the mean grey value known of the 60,000 training images.
    assert sources.load("mnist28", "validation", str(real_data)).labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert sources.load("mnist28", "test", str(real_data)).labels[:5].tolist() == [7, 2, 1, 0, 4]
    whole = sources.load("affmnist", "train", str(real_data))
    assert abs(whole.images.mean() / 255 - 0.1307) < 5e-5


def test_real_fashion_and_cifar10(real_data):
    fashion = sources.load("fashion28", "train", str(real_data))
    assert fashion.images.shape == (60000, 28, 28, 1) and (np.bincount(fashion.labels) == 6000).all()
    assert abs(fashion.images.mean() / 255 - 0.2860) < 5e-5
    cifar10 = sources.load("cifar10", "train", str(real_data))
    # Natural images: neighbouring pixels are alike, which a wrong order of planes, rows or columns would undo.
    images = cifar10.images.astype(float)
    for axis in (1, 2):
        first, second = (np.take(images, range(start, start + 31), axis) for start in (0, 1))
        assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.9
