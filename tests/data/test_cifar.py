"""CIFAR10 in its four packagings, and archives that are something else."""

import gzip
import io
import json
import os
import pathlib
import pickle
import tarfile

import numpy as np
import pytest

from lib.data import cifar, limits
from lib.errors import UserError
from tests import written
from tests.golden import records

GOLDEN = pathlib.Path(records.__file__).parent / "figures" / "memorygan_data.json"
COUNT = 3


def packagings():
    """Files below cifar10/ by packaging; all hold the same images."""
    binary, python = written.cifar_members(COUNT), written.cifar_members(COUNT, "")
    return {
        "binary folder": binary,
        "python folder": python,
        "loose": {os.path.basename(name): data for name, data in binary.items()},
        "binary archive": {"cifar-10-binary.tar.gz": gzip.compress(written.tar(binary))},
        "python archive": {"cifar-10-python.tar.gz": gzip.compress(written.tar(python))},
    }


def put(folder, files):
    for name, data in files.items():
        written.put(os.path.join(folder, name), data)
    return str(folder)


def read(folder, split):
    return cifar.read(cifar.find(folder)[split], split)


@pytest.mark.parametrize("packaging", packagings())
def test_every_packaging_gives_the_same_images_in_order(tmp_path, packaging):
    folder = put(tmp_path, packagings()[packaging])
    images, labels = read(folder, "train")
    tested_images, tested_labels = read(folder, "test")
    assert images.shape == (5 * COUNT, 32, 32, 3) and images.dtype == np.uint8 and labels.dtype == np.int32
    for number, record in enumerate(np.frombuffer(written.cifar_binary(COUNT, 3), np.uint8).reshape(COUNT, 3073)):
        image = 3 * COUNT + number
        assert labels[image] == record[0]
        assert images[image, 5, 7].tolist() == [record[1 + plane * 1024 + 5 * 32 + 7] for plane in range(3)]
    record = written.cifar_binary(COUNT, 5)
    assert tested_labels[0] == record[0] and tested_images[0, 0, 0, 0] == record[1]


@pytest.mark.skipif(not GOLDEN.exists(), reason="no golden file of memoryGAN's data here")
def test_golden_reader(tmp_path):
    golden = json.loads(GOLDEN.read_text())
    case, prefix = golden["cases"]["cifar10_reader"], golden["prefix"]
    rows = case["config"]["rows_per_file"]
    for number in range(1, 6):
        labels = records.integers(f"{prefix}/in/cifarlab/{number}", rows, 0, 10)
        pixels = records.integers(f"{prefix}/in/cifar/{number}", (rows, 3072), 0, 256)
        data = np.concatenate([labels[:, None], pixels], axis=1).astype(np.uint8).tobytes()
        put(tmp_path, {f"data_batch_{number}.bin": data, "test_batch.bin": data})
    images, labels = read(str(tmp_path), "train")
    key = "cifar10_reader/images"
    digest = records.digest(images, key)
    for field, value in case["records"][key].items():
        np.testing.assert_allclose(digest[field], value, rtol=1e-9)
    assert labels.tolist() == case["ints"]["cifar10_reader/labels"]


def test_nothing_there_is_none(tmp_path):
    assert cifar.find(str(tmp_path)) is None
    assert cifar.find(str(tmp_path / "absent")) is None


def test_missing_batches_are_named(tmp_path):
    files = packagings()["binary folder"]
    files.pop("cifar-10-batches-bin/data_batch_4.bin")
    with pytest.raises(UserError, match="data_batch_4.bin missing"):
        cifar.find(put(tmp_path, files))


@pytest.mark.parametrize("change, message", [
    (lambda data: data[:-1], "no whole number"),
    (lambda data: b"", "no whole number"),
    (lambda data: b"\x0a" + data[1:], "labels from"),
])
def test_broken_binary_batches(tmp_path, change, message):
    files = packagings()["binary folder"]
    name = "cifar-10-batches-bin/data_batch_2.bin"
    files[name] = change(files[name])
    with pytest.raises(UserError, match=f"data_batch_2.bin: .*{message}"):
        read(put(tmp_path, files), "train")


@pytest.mark.parametrize("batch", [
    {"labels": [1]}, {"data": np.zeros((1, 3072), np.uint8)}, [1], {"data": [1], "labels": [1]},
    {"data": np.zeros((1, 3072), np.int32), "labels": [1]}, {"data": np.zeros((1, 3071), np.uint8), "labels": [1]},
    {"data": np.zeros((1, 3072), np.uint8), "labels": [1, 2]}, {"data": np.zeros((1, 3072), np.uint8), "labels": [10]},
    {"data": np.zeros((1, 3072), np.uint8), "labels": ["1"]}, {"data": np.zeros((0, 3072), np.uint8), "labels": []},
])
def test_python_batches_of_another_form(tmp_path, batch):
    files = packagings()["python folder"]
    files["cifar-10-batches-py/test_batch"] = pickle.dumps(batch, 2)
    with pytest.raises(UserError, match="test_batch: a batch of CIFAR10 holds"):
        read(put(tmp_path, files), "test")


def archive(*members) -> bytes:
    """A packed archive of (name, data or TarInfo fields)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as packed:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                packed.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = content
                packed.addfile(member)
    return gzip.compress(file.getvalue(), 1)


GOOD = list(written.cifar_members(COUNT).items())


@pytest.mark.parametrize("members, message", [
    ([("../../data_batch_1.bin", b"x")], r"member 0 \('../../data_batch_1.bin'\) is none"),
    ([("/etc/data_batch_1.bin", b"x")], "is none"),
    ([("a/../b", b"x"), *GOOD], "is none"),
    ([("cifar-10-batches-bin/data_batch_1.bin", (tarfile.SYMTYPE, "/etc/passwd")), *GOOD], "is none"),
    ([("cifar-10-batches-bin/data_batch_1.bin", (tarfile.LNKTYPE, "/etc/passwd")), *GOOD], "is none"),
    ([("device", (tarfile.CHRTYPE, "")), *GOOD], "is none"),
    ([("fifo", (tarfile.FIFOTYPE, "")), *GOOD], "is none"),
    ([*GOOD, GOOD[0]], "data_batch_1.bin twice"),
    (GOOD[:3] + GOOD[4:], "holds no data_batch_4"),
    ([(f"file{number}", b"") for number in range(100)], "member 64"),
    ([], "holds no"),
])
def test_archives_that_are_not_cifars(tmp_path, members, message):
    before = set(os.listdir(tmp_path))
    with pytest.raises(UserError, match=message):
        read(put(tmp_path, {"cifar-10-binary.tar.gz": archive(*members)}), "train")
    assert set(os.listdir(tmp_path)) - before == {"cifar-10-binary.tar.gz"}


def test_truncated_archives_are_refused(tmp_path):
    data = packagings()["binary archive"]["cifar-10-binary.tar.gz"]
    for length in [*range(0, 100, 9), *range(100, len(data), 4999), len(data) - 9, len(data) - 1]:
        with pytest.raises(UserError, match="cifar-10-binary.tar.gz: "):
            read(put(tmp_path, {"cifar-10-binary.tar.gz": data[:length]}), "test")


def test_members_that_declare_more_than_there_is(tmp_path):
    data = bytearray(written.tar(dict(GOOD)))
    data[124:136] = b"77777777777\0"  # 8 GiB
    header = tarfile.TarInfo.frombuf
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert header(bytes(data[:512]), "utf-8", "strict").size == 0o77777777777
    with pytest.raises(UserError, match="declares 8589934591 bytes"):
        read(put(tmp_path, {"cifar-10-binary.tar.gz": gzip.compress(bytes(data))}), "train")


def test_archives_cannot_unpack_to_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    members = [("cifar-10-batches-bin/readme", bytes(2 << 20)), *GOOD]
    with pytest.raises(UserError, match="unpacks to more than"):
        read(put(tmp_path, {"cifar-10-binary.tar.gz": archive(*members)}), "train")
