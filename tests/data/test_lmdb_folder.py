"""LSUN's databases, written with the package that reads them."""

import numpy as np
import pytest

from lib.data import folders
from lib.errors import UserError
from tests import written

lmdb = pytest.importorskip("lmdb", reason="the lsun extra is not installed")


def database(path, records):
    path.mkdir(parents=True)
    with lmdb.open(str(path), map_size=1 << 24) as environment, environment.begin(write=True) as transaction:
        for key, value in records.items():
            transaction.put(key, value)


def test_images_of_a_database(tmp_path):
    pictures = written.random_images(5, 12, 3)
    database(tmp_path / "lsun" / "kitchen_train_lmdb",
             {b"%040x" % number: written.image(picture, "WEBP", lossless=True)
              for number, picture in enumerate(pictures)})
    for _ in range(2):  # LMDB itself would refuse to open it a second time
        images = folders.of_class(str(tmp_path), "lsun", "kitchen", "train")
        assert len(images.paths) == 5
        for key, picture in zip(images.paths, pictures):
            np.testing.assert_array_equal(images.decode(key, 12), picture)


def test_what_is_no_database_or_no_image(tmp_path):
    database(tmp_path / "lsun" / "a_train_lmdb", {b"%040x" % 1: b"text"})
    images = folders.of_class(str(tmp_path), "lsun", "a", "train")
    with pytest.raises(UserError, match=f"a_train_lmdb: {'0' * 39}1: cannot be decoded"):
        images.decode(images.paths[0], 8)
    database(tmp_path / "lsun" / "b_train_lmdb", {})
    written.put(tmp_path / "lsun" / "c_train_lmdb" / "data.mdb", b"text" * 5000)
    (tmp_path / "lsun" / "d_train_lmdb").mkdir()
    for name, message in (("b", "is empty"), ("c", "not an LMDB file"), ("d", "No such file")):
        with pytest.raises(UserError, match=message):
            folders.of_class(str(tmp_path), "lsun", name, "train")
