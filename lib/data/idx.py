"""The idx files of MNIST and its relatives, gzipped or not, read without trusting them.

Layout: two zero bytes, the type code (8: unsigned byte), the rank, one big-endian 32-bit size per axis, the
values in C order (http://yann.lecun.com/exdb/mnist).
"""

import gzip
import zlib
from typing import BinaryIO

import numpy as np

from lib.data.limits import MAX_BYTES
from lib.errors import UserError, reason

_UNSIGNED_BYTE = 8
_MAX_RANK = 4
_CHUNK = 1 << 20
_REMEDY = "fetch the file again"


def read(path: str, rank: int | None = None) -> np.ndarray:
    """The uint8 array of an idx file.

    `rank`: the rank the file must have (3 for images, 1 for labels); None takes any.
    Raises `UserError` for a file that is missing, truncated, damaged, of another type, or longer or shorter than
    its header declares. Memory is taken as bytes arrive, never because a header asks for it.
    """
    with _Opened(path) as file:
        shape = _read_shape(path, file, rank)
        size = int(np.prod(shape, dtype=object))
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


class _Opened:
    """An idx file open for reading, unpacked on the way if it is gzipped; what goes wrong becomes a `UserError`."""

    def __init__(self, path: str):
        self._path = path

    def __enter__(self) -> BinaryIO:
        try:
            self._raw = open(self._path, "rb")
            packed = self._raw.read(2) == b"\x1f\x8b"
            self._raw.seek(0)
        except OSError as error:
            raise UserError(f"{self._path}: cannot be read ({error.strerror}); an idx file was expected") from error
        return gzip.GzipFile(fileobj=self._raw) if packed else self._raw

    def __exit__(self, kind, error, trace) -> None:
        self._raw.close()
        if isinstance(error, (EOFError, OSError, zlib.error)):
            raise UserError(f"{self._path}: truncated or damaged ({reason(error)}); an idx file, gzipped or "
                            f"not, was expected; {_REMEDY}") from error


def _read_shape(path: str, file: BinaryIO, rank: int | None) -> tuple[int, ...]:
    header = file.read(4)
    wanted = f"0, 0, {_UNSIGNED_BYTE}, {'1 to ' + str(_MAX_RANK) if rank is None else rank}"
    if len(header) < 4 or header[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or not 1 <= header[3] <= _MAX_RANK or (
            rank is not None and header[3] != rank):
        raise UserError(f"{path}: begins with the bytes {', '.join(map(str, header)) or '(none)'}; an idx file of "
                        f"this kind begins with {wanted}; {_REMEDY}, or look whether the files were exchanged")
    sizes = file.read(4 * header[3])
    if len(sizes) < 4 * header[3]:
        raise UserError(f"{path}: ends within its header; {_REMEDY}")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    size = int(np.prod(shape, dtype=object))
    if size > MAX_BYTES:
        raise UserError(f"{path}: declares {_times(shape)} = {size} bytes, more than any data set read here "
                        f"({MAX_BYTES}); {_REMEDY}")
    return shape


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
