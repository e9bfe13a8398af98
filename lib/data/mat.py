"""SVHN's `.mat` files: MATLAB 5, of which only plain arrays of numbers are read.

SciPy's reader believes what a file declares, follows nested structures, and ends the process at a type code it
does not know. This one reads the two arrays needed, with every size checked against the bytes that are there.

Layout (MATLAB's "MAT-File Format", level 5): a header of 128 bytes, then elements, each a type code and a length
followed by its bytes. A variable is an element that holds four: flags with the class, sizes, name, values in
Fortran order; usually it is packed by zlib inside another.
"""

import math
import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lib.data.limits import MAX_BYTES
from lib.errors import UserError, reason

_HEADER_BYTES = 128
_VERSION = b"\x00\x01IM"  # 1.0, little-endian: the end of the header
_VARIABLE, _PACKED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
_CLASSES = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double", 7: "single", 8: "int8",
            9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32", 14: "int64", 15: "uint64"}
_NUMERIC = range(6, 16)
_COMPLEX = 0x0800
_CHUNK = 1 << 20
_EXPECTED = "a MATLAB 5 file with X uint8 [32, 32, 3, n] and y [n, 1] from 1 to 10 was expected"
_REMEDY = "fetch the file again"


class _Variable(NamedTuple):
    kind: str  # MATLAB's class
    shape: tuple[int, ...]
    values: np.ndarray | None  # None where they are not real numbers

    def __str__(self):
        return f"{self.kind} {list(self.shape)}"


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 32, 32, 3] and labels int32 [n]; the file's label 10 is the digit 0.

    Raises `UserError` for a file that is missing, truncated or damaged, and where X is not uint8 [32, 32, 3, n] or y
    not [n, 1] with values from 1 to 10.
    """
    try:
        variables = dict(_variables(path))
    except (OSError, ValueError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({reason(error)}); {_EXPECTED}; {_REMEDY}") from error
    missing = [name for name in ("X", "y") if name not in variables]
    if missing:
        names = ", ".join(repr(name)[:40] for name in list(variables)[:5]) or "nothing"
        raise UserError(f"{path}: holds no {' and no '.join(missing)} but {names}; {_EXPECTED}; look whether this is "
                        f"another file")
    images, labels = variables["X"], variables["y"]
    if (images.kind != "uint8" or images.values is None or images.values.dtype != np.uint8 or len(images.shape) != 4
            or images.shape[:3] != (32, 32, 3) or not images.shape[3] or labels.values is None
            or labels.shape != (images.shape[3], 1) or not np.isin(labels.values, np.arange(1, 11)).all()):
        raise UserError(f"{path}: X is {images} and y {labels}{_range(labels.values)}; {_EXPECTED}; look whether this "
                        f"is another file")
    return (np.ascontiguousarray(images.values.transpose(3, 0, 1, 2)),
            labels.values.reshape(-1).astype(np.int32) % 10)


def _range(values: np.ndarray | None) -> str:
    return f" from {values.min()} to {values.max()}" if values is not None and values.size else ""


def _variables(path: str) -> Iterator[tuple[str, _Variable]]:
    """Every variable of the file; all of them together may hold `MAX_BYTES`."""
    with open(path, "rb") as file:
        size, left = os.fstat(file.fileno()).st_size, MAX_BYTES
        header = file.read(_HEADER_BYTES)
        if header.startswith(b"MATLAB 7.3"):  # HDF5
            raise ValueError("MATLAB 7.3; save it with -v7")
        if header[-len(_VERSION):] != _VERSION or size == _HEADER_BYTES:
            raise ValueError("no MATLAB 5 file, or an empty one")
        while file.tell() < size:
            kind, length = struct.unpack("<II", file.read(8).ljust(8, b"\0"))
            if length > min(size - file.tell(), left):
                raise ValueError(f"the variable before byte {file.tell()} of {size} declares {length} bytes")
            content = memoryview(file.read(length))
            if kind == _PACKED:
                content, kind = _unpack(content, left)
            if kind != _VARIABLE:
                raise ValueError(f"element of type {kind}")
            left -= len(content)
            yield _variable(content)


def _unpack(packed: memoryview, most: int) -> tuple[memoryview, int]:
    """The content and type of the one element that is packed; unpacking to the end verifies zlib's checksum."""
    unpacker, content = zlib.decompressobj(), bytearray()
    for start in range(0, len(packed), _CHUNK):
        piece = packed[start:start + _CHUNK]
        while len(piece) and not unpacker.eof:
            content += unpacker.decompress(piece, _CHUNK)
            piece = unpacker.unconsumed_tail
            if len(content) > most:
                raise ValueError(f"unpacks to more than {MAX_BYTES} bytes, which no data set read here does")
    content += unpacker.flush()  # at most what zlib's window still holds
    if not unpacker.eof:
        raise ValueError("a packed variable ends too early")
    kind, length = struct.unpack_from("<II", content.ljust(8, b"\0"))
    if length != len(content) - 8:
        raise ValueError(f"a packed variable declares {length} bytes and holds {len(content) - 8}")
    return memoryview(content)[8:], kind


def _variable(content: memoryview) -> tuple[str, _Variable]:
    _, flags, position = _part(content, 0)
    _, sizes, position = _part(content, position)
    _, name, position = _part(content, position)
    flags = int.from_bytes(flags[:4], "little")
    shape = tuple(int(size) for size in np.frombuffer(sizes, "<i4"))
    kind = flags & 0xFF
    values = None
    if kind in _NUMERIC and not flags & _COMPLEX:
        stored, data, _ = _part(content, position)
        if stored not in _NUMBERS:
            raise ValueError(f"values of type {stored}")
        values = np.frombuffer(data, _NUMBERS[stored])
        if any(size < 0 for size in shape) or math.prod(shape) != values.size:
            raise ValueError(f"a variable of sizes {shape[:8]} holds {values.size} values")
        values = values.reshape(shape, order="F")
    return bytes(name).decode("latin-1"), _Variable(_CLASSES.get(kind, f"class {kind}"), shape, values)


def _part(content: memoryview, position: int) -> tuple[int, memoryview, int]:
    """Type and bytes of the part at `position`, and where the next one begins; parts are padded to 8 bytes."""
    if len(content) < position + 8:
        raise ValueError("a variable ends too early")
    kind, length = struct.unpack_from("<II", content, position)
    start, after = position + 8, position + 8 + -(-length // 8) * 8
    if kind >> 16:  # up to four bytes, which take the length's place
        kind, length = kind & 0xFFFF, kind >> 16
        start, after = position + 4, position + 8
        if length > 4:
            raise ValueError(f"a short part declares {length} bytes")
    if len(content) - start < length:
        raise ValueError(f"a part declares {length} bytes where {max(len(content) - start, 0)} are left")
    return kind, content[start:start + length], after
