"""Data that are there are found, or named, and never replaced in silence."""

import gzip
import os
import pathlib
import pickle

import numpy as np
import pytest
from PIL import Image

from lib.data import cifar, folders, sources
from lib.errors import UserError
from tests import written

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def idx_files(folder: pathlib.Path, spelled) -> None:
    """Ten images a split, the first pixel of each its number; `spelled`: the name given out -> (name, content)."""
    images = np.zeros([10, 28, 28], np.uint8)
    images[:, 0, 0] = range(10)
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", np.arange(10, dtype=np.uint8)),
                        ("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", np.arange(10, dtype=np.uint8))):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        name, content = spelled(name, header + array.tobytes())
        written.put(folder / name, content)


@pytest.mark.parametrize("spelled", [
    lambda name, data: (name, data), lambda name, data: (f"{name}.gz", gzip.compress(data)),
    lambda name, data: (name.replace("-idx", ".idx"), data), lambda name, data: (f"{name}.gz", data),
    lambda name, data: (name, gzip.compress(data)),
    lambda name, data: (f"{name.replace('-idx', '.idx')}.gz", gzip.compress(data)),
    lambda name, data: (f"raw/{name}", data)],
    ids=["plain", "packed", "dot", "unpacked-as-gz", "packed-without-gz", "dot-packed", "deeper"])
def test_idx_files_are_found_in_every_spelling(tmp_path, spelled):
    idx_files(tmp_path / "fashion", spelled)
    train = sources.load("fashion28", "train", str(tmp_path))
    assert train.images[:, 0, 0, 0].tolist() == train.labels.tolist() == list(range(10))


def test_what_lies_there_instead_is_named(tmp_path, monkeypatch):
    def no_network(*arguments):
        raise UserError(" ".join(arguments[-2:]))

    monkeypatch.setattr(sources.from_tfds, "read", no_network)
    written.put(tmp_path / "fashion" / "fashion.csv", b"")
    with pytest.raises(UserError, match="fashion holds fashion.csv"):
        sources.load("fashion28", "train", str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_folder_that_may_not_be_entered_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(UserError, match="Permission denied"):
        sources.load("fashion28", "train", str(tmp_path / "closed"))


@pytest.mark.parametrize("name", ["fashion", "svhn", "cifar10"])
def test_a_folder_that_may_not_be_listed_is_named(tmp_path, monkeypatch, name):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    (tmp_path / name).mkdir()
    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(UserError, match=f"{name}: cannot be listed .Permission denied"):
        sources.load(name, "train", str(tmp_path))


def test_a_folder_that_cannot_be_seen_is_no_folder_that_is_not_there(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folders.os, "stat", refuse)
    with pytest.raises(UserError, match="Permission denied; the data may lie there"):
        folders.is_directory(str(tmp_path))


@pytest.mark.parametrize("link", ["folder", "file"])
def test_a_link_to_nothing_is_named(tmp_path, link):
    if link == "folder":
        (tmp_path / "lsun" / "tower").mkdir(parents=True)
        (tmp_path / "lsun" / "tower" / "train").symlink_to(tmp_path / "moved")
        with pytest.raises(UserError, match="moved, which is not there"):
            folders.of_class(str(tmp_path), "lsun", "tower", "train")
    else:
        (tmp_path / "a.png").symlink_to(tmp_path / "moved.png")
        with pytest.raises(UserError, match="a.png: a link to nothing"):
            folders.files(str(tmp_path))


def test_linked_folders_count_once_and_copies_that_jupyter_hides_do_not(tmp_path):
    written.put(tmp_path / "elsewhere/a/1.png", b"")
    written.put(tmp_path / "images/.ipynb_checkpoints/2.png", b"")
    written.put(tmp_path / "images/._3.png", b"")
    (tmp_path / "images/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/around").symlink_to(tmp_path / "images")  # a circle
    assert folders.files(str(tmp_path / "images")) == [str(tmp_path / "images/linked/a/1.png")]


def test_lsuns_own_export_of_many_levels_is_read(tmp_path):
    for key in ("0a1b2c", "ffee99"):
        written.put(tmp_path / "lsun/tower/train" / "/".join(key) / f"{key}.webp", b"")
    found = folders.of_class(str(tmp_path), "lsun", "tower", "train")
    assert [pathlib.Path(path).stem for path in found.paths] == ["0a1b2c", "ffee99"]


def test_pictures_of_16_bits_are_their_8_bit_twins(tmp_path):
    deep = RAMP.astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(RAMP).save(tmp_path / "flat.png")
    flat = folders.decode(str(tmp_path / "flat.png"), 16)
    np.testing.assert_array_equal(folders.decode(str(tmp_path / "deep.png"), 16), flat)
    np.testing.assert_array_equal(folders.fit(Image.fromarray(deep.astype(np.int32)), 16, crop=False), flat)


def test_pictures_whose_range_is_not_known_are_refused_by_name():
    with pytest.raises(UserError, match="floating-point"):
        folders.fit(Image.fromarray(RAMP.astype(np.float32)), 16, crop=False)
    with pytest.raises(UserError, match="from -1 to 5"):
        folders.fit(Image.fromarray(np.array([[-1, 5]], np.int32)), 16, crop=False)


@pytest.mark.parametrize("protocol", range(6))
def test_batches_of_cifar_in_every_protocol_of_pickle(tmp_path, protocol):
    rows = np.random.RandomState(0).randint(256, size=[3, 3072]).astype(np.uint8)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        batch = {"batch_label": "x", "labels": [1, 2, 3], "data": rows, "filenames": ["a", "b", "c"]}
        written.put(tmp_path / name, pickle.dumps(batch, protocol=protocol))
    images, labels = cifar.read(cifar.find(str(tmp_path))["test"], "test")
    assert labels.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(images.transpose(0, 3, 1, 2).reshape(3, -1), rows)


@pytest.mark.parametrize("left", [0.5, 0.99], ids=["half", "all but the last pages"])
def test_a_database_whose_download_broke_off_is_named(tmp_path, left):
    lmdb = pytest.importorskip("lmdb")
    folder = tmp_path / "lsun/tower_train_lmdb"
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for number in range(200):
            transaction.put(b"%040d" % number, bytes(2000))
    path = folder / "data.mdb"
    os.truncate(path, int(left * path.stat().st_size))
    with pytest.raises(UserError, match="bytes of .*its download broke off"):
        folders.of_class(str(tmp_path), "lsun", "tower", "train")
