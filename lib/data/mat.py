"""SVHN's `.mat` files (MATLAB 5, read by SciPy), checked before SciPy sees more than their outline.

SciPy believes the sizes and nested structures that a file declares. So every packed element is first unpacked once
within bounds, which also verifies its checksum, and only `X` and `y` are read, and only if they are plain arrays.
"""

import os
import struct
import zlib

import numpy as np
import scipy.io
from scipy.io import matlab

from lib.data.bounded import MAX_BYTES, reason
from lib.errors import UserError

_HEADER_BYTES = 128
_PLAIN, _PACKED = 14, 15  # element types
_CHUNK = 1 << 20
_EXPECTED = "a MATLAB 5 file with X uint8 [32, 32, 3, n] and y [n, 1] was expected"
_REMEDY = "fetch the file again"


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 32, 32, 3] and labels int32 [n]; the file's label 10 is the digit 0.

    Raises `UserError` for a file that is missing, truncated, damaged, or holds anything else than `_EXPECTED`.
    """
    _check_elements(path)
    _check_outline(path)
    try:
        variables = scipy.io.loadmat(path, variable_names=["X", "y"])
    except Exception as error:
        raise _broken(path, error) from error
    images, labels = variables["X"], np.asarray(variables["y"])
    if images.dtype != np.uint8 or labels.dtype.kind not in "uif" or not np.isin(labels, np.arange(1, 11)).all():
        raise UserError(f"{path}: X is {images.dtype} and y {labels.dtype}, from {labels.min()} to {labels.max()}; "
                        f"X uint8 and whole labels from 1 to 10 were expected; {_REMEDY}")
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.reshape(-1).astype(np.int32) % 10


def _check_outline(path: str) -> None:
    """Names, types and sizes of the variables, of which SciPy reads no value for it."""
    try:
        outline = {name: (tuple(shape), kind) for name, shape, kind in scipy.io.whosmat(path)}
    except Exception as error:  # SciPy's reader raises whatever a broken file makes it run into
        raise _broken(path, error) from error
    missing = [name for name in ("X", "y") if name not in outline]
    if missing:
        raise UserError(f"{path}: holds no {' and no '.join(missing)} but {', '.join(map(repr, outline)) or 'nothing'}"
                        f"; {_EXPECTED}; look whether this is another file")
    (shape, kind), (label_shape, label_kind) = outline["X"], outline["y"]
    if (kind != "uint8" or len(shape) != 4 or shape[:3] != (32, 32, 3) or label_shape != (shape[3], 1)
            or label_kind not in ("uint8", "double") or not 1 <= shape[3] <= MAX_BYTES // (32 * 32 * 3)):
        raise UserError(f"{path}: X is {kind} {list(shape)} and y {label_kind} {list(label_shape)}; {_EXPECTED}; look "
                        f"whether this is another file")


def _check_elements(path: str) -> None:
    """Walk over the file's elements; each must lie within the file, and unpack to its end within bounds."""
    try:
        with open(path, "rb") as file:
            size, left = os.fstat(file.fileno()).st_size, MAX_BYTES
            if size <= _HEADER_BYTES or matlab.matfile_version(path)[0] != 1 or _version(file) != b"\x00\x01IM":
                raise UserError(f"{path}: no MATLAB 5 file; {_EXPECTED}; {_REMEDY}")
            while file.tell() < size:
                tag = file.read(8)
                kind, length = struct.unpack("<II", tag) if len(tag) == 8 else (0, 0)
                if kind not in (_PLAIN, _PACKED) or not 0 < length <= size - file.tell():
                    raise UserError(f"{path}: truncated or damaged at byte {file.tell() - len(tag)} of {size}; "
                                    f"{_EXPECTED}; {_REMEDY}")
                if kind == _PACKED:
                    left -= _unpacked_size(path, file, length, left)
                else:
                    file.seek(length, os.SEEK_CUR)
    except (OSError, ValueError, zlib.error) as error:
        raise _broken(path, error) from error


def _version(file) -> bytes:
    return file.read(_HEADER_BYTES)[-4:]


def _unpacked_size(path: str, file, length: int, most: int) -> int:
    unpacker, size = zlib.decompressobj(), 0
    while length or unpacker.unconsumed_tail:
        packed = unpacker.unconsumed_tail
        if not packed:
            packed = file.read(min(_CHUNK, length))
            length -= len(packed)
        size += len(unpacker.decompress(packed, _CHUNK))
        if size > most:
            raise UserError(f"{path}: unpacks to more than {MAX_BYTES} bytes, which no data set read here does; "
                            f"{_REMEDY}")
        if unpacker.eof:
            file.seek(length, os.SEEK_CUR)
            return size
    raise zlib.error("a packed variable ends too early")


def _broken(path: str, error: Exception) -> UserError:
    if isinstance(error, UserError):
        return error
    return UserError(f"{path}: cannot be read ({reason(error)}); {_EXPECTED}; {_REMEDY}")
