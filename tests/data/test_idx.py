"""The idx reader against files made by hand."""

import gzip

import numpy as np
import pytest

from lib.data import idx
from lib.errors import UserError
from tests import written

VALUES = np.random.RandomState(0).randint(0, 256, (3, 5, 4)).astype(np.uint8)
FILE = written.idx(VALUES)


def read(tmp_path, data, rank=3):
    return idx.read(written.put(tmp_path / "file", data), rank)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_returns_what_was_written(tmp_path, wrap):
    values = read(tmp_path, wrap(FILE))
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, VALUES)


def test_layout_is_the_published_one(tmp_path):
    # Two zeros, type 8, rank 2, sizes 2 and 3, six values.
    data = bytes.fromhex("00000802 00000002 00000003 0a0b0c0d0e0f")
    assert read(tmp_path, data, rank=2).tolist() == [[10, 11, 12], [13, 14, 15]]


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_every_truncation_is_refused(tmp_path, wrap):
    data = wrap(FILE)
    for length in range(len(data)):
        with pytest.raises(UserError, match="file: .*(fetch|holds)"):
            read(tmp_path, data[:length])


@pytest.mark.parametrize("bit", range(0, 8 * (len(gzip.compress(FILE)) - 10), 7))
def test_flipped_bits_of_the_packed_stream_are_noticed(tmp_path, bit):
    data = bytearray(gzip.compress(FILE))
    data[10 + bit // 8] ^= 1 << bit % 8  # behind the gzip header, whose time stamp says nothing of the content
    with pytest.raises(UserError):
        read(tmp_path, bytes(data))


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(UserError, match="absent: cannot be read .No such file"):
        idx.read(str(tmp_path / "absent"), 3)
    with pytest.raises(UserError, match="cannot be read .Is a directory"):
        idx.read(str(tmp_path), 3)


@pytest.mark.parametrize("data, rank", [
    (FILE, 1),  # images where labels were expected
    (b"\x01" + FILE[1:], 3),
    (FILE[:2] + b"\x0d" + FILE[3:], 3),  # float32
    (FILE[:3] + b"\x00" + FILE[4:], 3),
    (FILE[:3] + b"\xff" + FILE[4:], 3),
    (b"P5 4 5 255\n" + bytes(20), 3),
])
def test_wrong_magic_numbers_are_quoted(tmp_path, data, rank):
    with pytest.raises(UserError, match=f"begins with the bytes {data[0]}, {data[1]}, {data[2]}, {data[3]};"):
        read(tmp_path, data, rank)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.parametrize("sizes, message", [
    ((0xFFFFFFFF,) * 3, "more than any data set"),
    ((20000, 28, 28), "holds only 60"),
    ((2, 5, 4), "holds more"),
    ((0, 5, 4), "holds more"),
])
def test_declared_sizes_must_be_those_of_the_values(tmp_path, wrap, sizes, message):
    data = FILE[:4] + np.array(sizes, ">u4").tobytes() + FILE[16:]
    with pytest.raises(UserError, match=message):
        read(tmp_path, wrap(data))


def test_bytes_behind_the_values_are_refused(tmp_path):
    for data in (FILE + b"\0", gzip.compress(FILE + b"\0"), gzip.compress(FILE) + b"rest"):
        with pytest.raises(UserError):
            read(tmp_path, data)
