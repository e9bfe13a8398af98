"""Reads mutated files, in a process of its own so that memory and crashes show.

    python -m tests.data.mutated COUNT SEED [FORMAT ...]

prints one JSON object for each format (default: all): how many files were read, how many refused with
`UserError`, the longest time in seconds, the growth of the peak memory in bytes, and whatever else was raised.
"""

import gzip
import json
import os
import resource
import sys
import tempfile
import time
import zlib

import numpy as np

from lib.data import cifar, folders, idx, mat
from lib.errors import UserError
from tests import written

_SIZES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def _repacked_mat(data: bytes) -> bytes:
    """A .mat file whose elements are packed anew, so that changes inside them have right checksums."""
    packed, position = [data[:128]], 128
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4:position + 8], "little")
        element = zlib.compress(data[position:position + 8 + length], 1)
        packed.append((15).to_bytes(4, "little") + len(element).to_bytes(4, "little") + element)
        position += 8 + length
    return b"".join(packed)


def _reclosed_png(data: bytes) -> bytes:
    """A PNG file whose chunks have right checksums whatever is in them."""
    closed, position = [data[:8]], 8
    while position + 8 <= len(data):
        length = int.from_bytes(data[position:position + 4], "big")
        chunk = data[position + 4:position + 8 + length]
        closed.append(data[position:position + 4] + chunk + zlib.crc32(chunk).to_bytes(4, "big"))
        position += 12 + length
    return b"".join(closed)


def _same(data: bytes) -> bytes:
    return data


def _gzipped(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def _read_cifar(path):
    return cifar.read([path], "train" if path.endswith("gz") else "test")


def _read_idx(path):
    return idx.read(path, 3)


_PICTURE = written.random_images(1, 24, 3)[0]
# Of each format: the file's name, its content, what wraps the content after it was changed, and the reader.
FORMATS = {
    "idx": ("images", written.idx(written.random_images(9, 28, 1)[..., 0]), _same, _read_idx),
    "idx packed": ("a.gz", _gzipped(written.idx(np.zeros((9, 28, 28), np.uint8))), _same, _read_idx),
    "idx inside gzip": ("a.gz", written.idx(np.zeros((9, 28, 28), np.uint8)), _gzipped, _read_idx),
    "mat": ("a.mat", written.mat(written.svhn(3), packed=False), _same, mat.read),
    "mat packed": ("a.mat", written.mat(written.svhn(3)), _same, mat.read),
    "mat inside packing": ("a.mat", written.mat(written.svhn(3), packed=False), _repacked_mat, mat.read),
    "cifar binary": ("test_batch.bin", written.cifar_binary(4), _same, _read_cifar),
    "cifar python": ("test_batch", written.cifar_python(4), _same, _read_cifar),
    "cifar python 4": ("test_batch", written.cifar_python(4, protocol=4), _same, _read_cifar),
    "cifar archive": ("a.tar.gz", _gzipped(written.tar(written.cifar_members(2))), _same, _read_cifar),
    "cifar inside archive": ("a.tar.gz", written.tar(written.cifar_members(2)), _gzipped, _read_cifar),
    "png": ("a.png", written.image(_PICTURE), _same, lambda path: folders.decode(path, 16)),
    "png inside chunks": ("a.png", written.image(_PICTURE), _reclosed_png, lambda path: folders.decode(path, 16)),
    "jpeg": ("a.jpg", written.image(_PICTURE, "JPEG"), _same, lambda path: folders.decode(path, 16)),
    "webp": ("a.webp", written.image(_PICTURE, "WEBP"), _same, lambda path: folders.decode(path, 16)),
    "bmp": ("a.bmp", written.image(_PICTURE, "BMP"), _same, lambda path: folders.decode(path, 16)),
    "ppm": ("a.ppm", written.image(_PICTURE, "PPM"), _same, lambda path: folders.decode(path, 16)),
}


def mutate(data: bytes, random: np.random.RandomState) -> bytes:
    """One to four changes, most of them near the beginning or the end, where headers and trailers are."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 5)):
        reach = len(changed) if random.rand() < 0.3 else min(len(changed), 256)
        position = random.randint(reach) if reach else 0
        if random.rand() < 0.1:
            position = max(len(changed) - 1 - position, 0)
        kind = random.randint(6)
        if kind == 0:
            del changed[position:]
        elif kind == 1 and changed:
            changed[position] ^= 1 << random.randint(8)
        elif kind == 2:
            size = _SIZES[random.randint(len(_SIZES))]
            changed[position:position + 4] = size.to_bytes(4, ("big", "little")[random.randint(2)])
        elif kind == 3:
            changed[position:position + 8] = random.bytes(random.randint(1, 9))
        elif kind == 4:
            del changed[position:position + random.randint(1, 17)]
        else:
            changed[position:position] = changed[:random.randint(1, 65)]
    return bytes(changed)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(formats: dict, kind: str, count: int, seed: int) -> dict:
    name, content, wrap, read = formats[kind]
    result = {"format": kind, "read": 0, "refused": 0, "seconds": 0.0, "others": []}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        written.put(path, wrap(content))
        read(path)
        before = _peak()
        for number in range(count):
            written.put(path, wrap(mutate(content, np.random.RandomState([seed, number]))))
            start = time.monotonic()
            try:
                read(path)
                result["read"] += 1
            except UserError as error:
                result["refused"] += 1
                if not str(error).startswith(path) or "\n" in str(error):
                    result["others"].append(f"{number}: {error}")
            except BaseException as error:
                result["others"].append(f"{number}: {error!r}")
            result["seconds"] = max(result["seconds"], time.monotonic() - start)
        result["memory"] = _peak() - before
    return result


def main(formats: dict) -> None:
    for kind in sys.argv[3:] or formats:
        print(json.dumps(run(formats, kind, int(sys.argv[1]), int(sys.argv[2]))), flush=True)


if __name__ == "__main__":
    main(FORMATS)
