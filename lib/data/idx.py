"""The idx files of MNIST and its relatives, gzipped or not, read without trusting them.

Layout: two zero bytes, the type code (8: unsigned byte), the rank, one big-endian 32-bit size per axis, the
values in C order (http://yann.lecun.com/exdb/mnist).
"""

import contextlib
import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from lib.data.limits import MAX_BYTES
from lib.errors import UserError, reason

_UNSIGNED_BYTE = 8
_CHUNK = 1 << 20
_REMEDY = "fetch the file again"


def read(path: str, rank: int) -> np.ndarray:
    """The uint8 array of an idx file.

    `rank`: the rank the file must have (3 for images, 1 for labels).
    Raises `UserError` for a file that is missing, truncated, damaged, of another type, or longer or shorter than
    its header declares. Memory is taken as bytes arrive, never because a header asks for it.
    """
    with _opened(path) as file:
        shape = _read_shape(path, file, rank)
        size = math.prod(shape)
        values = bytearray()
        # One byte more than declared: it must not exist, and reaching the end makes gzip verify its checksum.
        while len(values) <= size:
            chunk = file.read(min(_CHUNK, size + 1 - len(values)))
            if not chunk:
                break
            values += chunk
    if len(values) != size:
        held = f"only {len(values)}" if len(values) < size else "more"
        raise UserError(f"{path}: the header declares {_times(shape)} = {size} bytes of values, the file holds "
                        f"{held}; {_REMEDY}")
    return np.frombuffer(values, np.uint8).reshape(shape)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """An idx file open for reading, unpacked on the way if it is gzipped; what goes wrong becomes a `UserError`."""
    try:
        raw = open(path, "rb")
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); an idx file was expected") from error
    try:
        with raw:
            yield gzip.GzipFile(fileobj=raw) if packed else raw
    except (EOFError, OSError, zlib.error) as error:
        raise UserError(f"{path}: truncated or damaged ({reason(error)}); an idx file, gzipped or not, was expected; "
                        f"{_REMEDY}") from error


def _read_shape(path: str, file: BinaryIO, rank: int) -> tuple[int, ...]:
    header, wanted = file.read(4), bytes([0, 0, _UNSIGNED_BYTE, rank])
    if header != wanted:
        raise UserError(f"{path}: begins with the bytes {', '.join(map(str, header)) or '(none)'}; an idx file of "
                        f"this kind begins with {', '.join(map(str, wanted))}; {_REMEDY}, or look whether the files "
                        f"were exchanged")
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise UserError(f"{path}: ends within its header; {_REMEDY}")
    shape = struct.unpack(f">{rank}I", sizes)
    if math.prod(shape) > MAX_BYTES:
        raise UserError(f"{path}: declares {_times(shape)} = {math.prod(shape)} bytes, more than any data set read "
                        f"here ({MAX_BYTES}); {_REMEDY}")
    return shape


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
