"""The .mat reader on files that SciPy writes, and on ones that it would believe."""

import struct
import zlib

import numpy as np
import pytest
import scipy.io

from lib.data import limits, mat
from lib.errors import UserError
from tests import written

VARIABLES = written.svhn(6)


def read(tmp_path, data):
    return mat.read(written.put(tmp_path / "train_32x32.mat", data))


@pytest.mark.parametrize("packed", [False, True])
def test_returns_images_first_and_ten_as_zero(tmp_path, packed):
    variables = {"X": VARIABLES["X"], "y": np.array([[10, 1, 2, 3, 9, 10]], np.uint8).T, "other": "text"}
    images, labels = read(tmp_path, written.mat(variables, packed))
    assert images.dtype == np.uint8 and labels.dtype == np.int32
    assert images.shape == (6, 32, 32, 3)
    np.testing.assert_array_equal(images[4, :, :, 1], variables["X"][:, :, 1, 4])
    assert labels.tolist() == [0, 1, 2, 3, 9, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_agrees_with_scipy(tmp_path, count):
    """Also where MATLAB's short form of a part comes into play, which holds up to four bytes."""
    path = written.put(tmp_path / "a.mat", written.mat(written.svhn(count, seed=count)))
    theirs, (images, labels) = scipy.io.loadmat(path), mat.read(path)
    np.testing.assert_array_equal(images, np.moveaxis(theirs["X"], -1, 0))
    np.testing.assert_array_equal(labels, theirs["y"][:, 0] % 10)


def test_labels_may_be_doubles(tmp_path):
    variables = VARIABLES | {"y": VARIABLES["y"].astype(np.float64)}
    np.testing.assert_array_equal(read(tmp_path, written.mat(variables))[1], VARIABLES["y"][:, 0] % 10)


@pytest.mark.parametrize("variables, message", [
    ({"y": VARIABLES["y"]}, "holds no X but 'y'"),
    ({"X": VARIABLES["X"]}, "holds no y but 'X'"),
    ({"a": 1.0}, "holds no X and no y but 'a'"),
    (VARIABLES | {"X": VARIABLES["X"].astype(np.float64)}, "X is double"),
    (VARIABLES | {"X": VARIABLES["X"][:16]}, r"X is uint8 \[16, 32, 3, 6\]"),
    (VARIABLES | {"X": VARIABLES["X"][..., 0]}, r"X is uint8 \[32, 32, 3\]"),
    (VARIABLES | {"X": {"field": 1}}, "X is struct"),
    (VARIABLES | {"y": VARIABLES["y"][:5]}, r"y uint8 \[5, 1\]"),
    (VARIABLES | {"y": "abcdef"}, "y char"),
    (VARIABLES | {"y": VARIABLES["y"] + 0j}, "y double"),
    (VARIABLES | {"y": VARIABLES["y"] * 0}, "from 0 to 0"),
    (VARIABLES | {"y": VARIABLES["y"] + 0.5}, "y double"),
    (VARIABLES | {"X": VARIABLES["X"][..., :0], "y": VARIABLES["y"][:0]}, r"X is uint8 \[32, 32, 3, 0\]"),
])
def test_other_variables_are_refused(tmp_path, variables, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, written.mat(variables))


@pytest.mark.parametrize("packed", [False, True])
def test_truncations_are_refused(tmp_path, packed):
    data = written.mat(VARIABLES, packed)
    for length in [*range(0, 300, 7), *range(300, len(data), 997), len(data) - 1]:
        with pytest.raises(UserError, match="MATLAB 5 file"):
            read(tmp_path, data[:length])


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        mat.read(str(tmp_path / "absent.mat"))
    for data in (bytes(1000), b"text" * 100, b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n" * 20):
        with pytest.raises(UserError, match="a MATLAB 5 file with X .* was expected"):
            read(tmp_path, data)


def test_flipped_bits_of_packed_values_are_noticed(tmp_path):
    data = written.mat(VARIABLES)
    for position in range(140, len(data), 1013):
        flipped = bytearray(data)
        flipped[position] ^= 4
        with pytest.raises(UserError):
            read(tmp_path, bytes(flipped))


def element(values: bytes) -> bytes:
    packed = zlib.compress(values, 1)
    return struct.pack("<II", 15, len(packed)) + packed


def matrix(kind: int, dimensions: tuple, name: bytes, values: bytes) -> bytes:
    """A MATLAB 5 array whose header says what the arguments say."""
    def padded(code, data):
        return struct.pack("<II", code, len(data)) + data + bytes(-len(data) % 8)

    parts = (padded(6, struct.pack("<II", kind, 0)) + padded(5, struct.pack(f"<{len(dimensions)}i", *dimensions))
             + padded(1, name) + values)
    return struct.pack("<II", 14, len(parts)) + parts


HEADER = written.mat({})[:128]
UINT8, CELL = 9, 1


def test_declared_sizes_are_not_believed(tmp_path):
    for dimensions in ((32, 32, 3, 0x7FFFFFFF), (32, 32, 3, 200000), (32, 32, 3, -1), (32, 32, 3, 7)):
        big = matrix(UINT8, dimensions, b"X", struct.pack("<II", 2, 16) + bytes(16))
        labels = matrix(UINT8, (dimensions[3], 1), b"y", struct.pack("<II", 2, 8) + bytes(8))
        for wrap in (bytes, element):
            with pytest.raises(UserError):
                read(tmp_path, HEADER + wrap(big) + wrap(labels))


def test_unknown_types_are_refused(tmp_path):
    """SciPy's reader looks such a type up beyond the end of its table, and the process is gone."""
    labels = matrix(UINT8, (1, 1), b"y", struct.pack("<II", 2, 8) + bytes(8))
    for kind in (0, 8, 14, 255, 0x7FFF):
        with pytest.raises(UserError, match=f"values of type {kind}"):
            read(tmp_path, HEADER + matrix(UINT8, (32, 32, 3, 1), b"X", struct.pack("<II", kind, 3072) + bytes(3072))
                 + labels)


def test_nested_cells_are_not_entered(tmp_path):
    values = matrix(UINT8, (1, 1), b"", struct.pack("<II", 2, 8) + bytes(8))
    for _ in range(20):
        values = matrix(CELL, (1, 1), b"", values)
    nested = matrix(CELL, (1, 1), b"X", values)
    with pytest.raises(UserError, match="X is cell"):
        read(tmp_path, HEADER + element(nested) + element(matrix(CELL, (1, 1), b"y", b"")))


def test_a_packed_variable_cannot_unpack_to_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(mat, "MAX_BYTES", 1 << 20)
    assert limits.MAX_BYTES < 1 << 30
    bomb = matrix(UINT8, (32, 32, 3, 600), b"X", struct.pack("<II", 2, 600 * 3072) + bytes(600 * 3072))
    with pytest.raises(UserError, match="unpacks to more than|declares"):
        read(tmp_path, HEADER + element(bomb))
