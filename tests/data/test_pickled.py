"""Reading pickles without unpickling them: against what pickle wrote, and against what it would run."""

import os
import pickle
import time

import numpy as np
import pytest

from lib.data import pickled
from lib.errors import UserError

PLAIN = {
    "none": None, "true": True, "small": 7, "negative": -70000, "large": 2**40, "float": 1.5, "text": "é\n",
    "bytes": b"\x00\xff", "empty": [[], {}, ()], "tuple": (1, (2, (3, 4, 5, 6))), b"key": list(range(300)),
}


@pytest.mark.parametrize("protocol", range(5))
def test_plain_values(protocol):
    assert pickled.read(pickle.dumps(PLAIN, protocol), "file") == PLAIN


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("array", [
    np.arange(12, dtype=np.uint8).reshape(3, 4), np.arange(12, dtype=np.float32).reshape(3, 4).T,
    np.array([1.5, -2.0]), np.arange(3, dtype=">i4"), np.zeros((0, 4), np.int64), np.float64([[3]])])
def test_arrays(protocol, array):
    read = pickled.read(pickle.dumps({"first": array, "again": array}, protocol), "file")
    for value in read.values():
        assert value.dtype == array.dtype
        np.testing.assert_array_equal(value, array)


def test_a_batch_as_python_2_wrote_it():
    # Protocol 2 with Python 2's strings and NumPy's old module names, as in the distributed CIFAR10 batches.
    data = (b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04"
            b"K\x00\x85U\x01b\x87Rq\x05(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07"
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06\x00\x01\x02\xfd\xfe\xfftb"
            b"U\x06labelsq\x08]q\t(K\x06K\x09eu.")
    assert pickle.loads(data, encoding="latin1")["labels"] == [6, 9]  # the bytes above are a pickle
    batch = pickled.read(data, "file")
    assert batch["labels"] == [6, 9]
    assert batch["data"].dtype == np.uint8 and batch["data"].tolist() == [[0, 1, 2], [253, 254, 255]]


class _Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(tmp_path, protocol):
    path = str(tmp_path / "made")
    data = pickle.dumps({"data": _Runs(path)}, protocol)
    with pytest.raises(UserError, match="holds the name 'posix mkdir'"):
        pickled.read(data, "file")
    assert not os.path.exists(path)
    pickle.loads(data)
    assert os.path.exists(path)


@pytest.mark.parametrize("data, message", [
    (b"cnumpy\nload\n(S'file'\ntR.", "the name 'numpy load'"),
    (b"(S'echo'\nios\nsystem\n.", "the instruction INST"),
    (pickle.dumps(PLAIN.keys), "the name"),
    (pickle.dumps({1, 2}), "the instruction"),
    (pickle.dumps({1: 2}), "damaged"),
    (pickle.dumps(np.array([None])), "an array of type 'O8'"),
    (pickle.dumps(np.zeros(2, "u1,O")), "an array of type 'V9'"),
    (pickle.dumps(PLAIN).replace(b"\x8c", b"\x8d"), "damaged"),
    (b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.", "a call of _codecs encode"),
    (b"\x80\x02]r\xff\xff\xff\x7f.", "the memo number 2147483647"),
    (b"K\x01\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "damaged"),
    (b"\x80\x02](h\x00e.", "damaged"),
    (b"", "damaged"),
    (b".", "damaged"),
])
def test_the_rest_is_refused(data, message):
    with pytest.raises(UserError, match=f"^file: .*{message}"):
        pickled.read(data, "file")


def test_every_truncation_is_refused():
    data = pickle.dumps({"data": np.arange(6, dtype=np.uint8), "labels": [1, 2]}, 2)
    for length in range(len(data)):
        with pytest.raises(UserError):
            pickled.read(data[:length], "file")


def test_array_sizes_must_be_those_of_the_bytes():
    data = pickle.dumps(np.arange(6, dtype=np.uint8), 2)
    for size in (5, 7, 0xFFFF):
        changed = data.replace(b"K\x06\x85", b"M" + size.to_bytes(2, "little") + b"\x85")
        assert changed != data
        with pytest.raises(UserError):
            pickled.read(changed, "file")


def test_time_and_memory_do_not_explode(monkeypatch):
    monkeypatch.setattr(pickled, "MAX_BYTES", 1 << 24)
    start = time.monotonic()
    # A tuple of twice the one before, 60 times: hashing it as a key, or copying it, would never end.
    doubled = b")" + b"q\x00h\x00\x86" * 60
    with pytest.raises(UserError):
        pickled.read(b"\x80\x02}" + doubled + b"K\x01s.", "file")
    # The same long string encoded again and again.
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)
    again = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    assert pickled.read(b"\x80\x02" + text + b"q\x00" + again + b".", "file") == b"a" * (1 << 20)
    with pytest.raises(UserError, match="more than"):
        pickled.read(b"\x80\x02" + text + b"q\x00" + again * 2000 + b".", "file")
    with pytest.raises(UserError, match="instructions"):
        pickled.read(b"]" * 600_000 + b".", "file")
    assert time.monotonic() - start < 60
