"""CIFAR10: the binary or the Python batches, as a folder or still packed, of which nothing is written to disk.

The Python batches are pickles; they are read by `pickled`, which runs nothing.
"""

import gzip
import os
import tarfile

import numpy as np

from lib.data import folders, pickled
from lib.data.limits import MAX_BYTES, Limited
from lib.errors import UserError, reason

SHAPE = (32, 32, 3)
_PIXELS = 32 * 32 * 3
_RECORD = 1 + _PIXELS  # a label, then the red, green and blue planes
_MAX_MEMBERS = 64  # the archives have eight
_CHUNK = 1 << 20
_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_BATCHES = {"train": _TRAIN, "test": ("test_batch",)}
# Folder, archive and ending of a batch's name in either form; the original reads the Python form's folder.
_FORMS = (("cifar-10-batches-py", "cifar-10-python.tar.gz", ""),
          ("cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin"))
EXPECTED = "cifar-10-batches-py or cifar-10-batches-bin, or their archives as downloaded"
_REMEDY = "fetch the file again"


def find(folder: str) -> dict[str, list[str]] | None:
    """Of each split, the paths of its batches or of the archive that holds them; None where there is neither.

    Batches lie in the folder of their archive or directly in `folder`. Raises `UserError` where some are missing.
    """
    for inner, archive, ending in _FORMS:
        for place in (os.path.join(folder, inner), folder):
            paths = {split: [os.path.join(place, name + ending) for name in names]
                     for split, names in _BATCHES.items()}
            there = folders.entries(place) if folders.is_directory(place) else {}
            missing = [path for path in paths["train"] + paths["test"] if there.get(path, True)]  # True: a folder
            if not missing:
                return paths
            if len(missing) <= len(_TRAIN):
                raise UserError(f"cifar10: {', '.join(missing)} missing, though other batches are there; put the "
                                f"missing ones beside them")
        path = os.path.join(folder, archive)
        if path in there:
            return {"train": [path], "test": [path]}
    return None


def read(paths: list[str], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 32, 32, 3] and labels int32 [n] of the files that `find` gives for a split.

    Raises `UserError` for a batch or archive that is missing, truncated, damaged, or holds something else.
    """
    if paths[0].endswith(".tar.gz"):
        batches = _unpack(paths[0], split)
    else:
        batches = {path: _content(path) for path in paths}
    parsed = [_parse(data, path) for path, data in batches.items()]
    rows, labels = (np.concatenate(parts) for parts in zip(*parsed))
    return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _content(path: str) -> bytes:
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES} bytes; a batch of CIFAR10 was expected; {_REMEDY}")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); a batch of CIFAR10 was expected") from error


def _parse(data: bytes, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows uint8 [n, 3072] and labels int32 [n] of one batch."""
    rows, labels = (_parse_binary if path.endswith(".bin") else _parse_python)(data, path)
    if labels.min() < 0 or labels.max() > 9:
        raise UserError(f"{path}: labels from {labels.min()} to {labels.max()} instead of 0 to 9; {_REMEDY}")
    return rows, labels.astype(np.int32)


def _parse_binary(data: bytes, path: str) -> tuple[np.ndarray, np.ndarray]:
    if not data or len(data) % _RECORD:
        raise UserError(f"{path}: {len(data)} bytes are no whole number of images of {_RECORD} bytes; {_REMEDY}")
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    return records[:, 1:], records[:, 0]


def _parse_python(data: bytes, path: str) -> tuple[np.ndarray, np.ndarray]:
    batch = pickled.read(data, path)
    # Python 2 wrote the names as its strings; Python 3 may have written them again as bytes.
    fields = {key.decode("latin-1") if isinstance(key, bytes) else key: value
              for key, value in batch.items()} if isinstance(batch, dict) else {}
    rows, labels = fields.get("data"), fields.get("labels")
    if (not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != _PIXELS
            or not isinstance(labels, list) or not labels or len(labels) != len(rows)
            or not all(type(label) is int and 0 <= label <= 9 for label in labels)):
        raise UserError(f"{path}: a batch of CIFAR10 holds 'data' uint8 [n, {_PIXELS}] and n 'labels' from 0 to 9; "
                        f"this one does not; {_REMEDY}")
    return rows, np.array(labels)


def _unpack(archive: str, split: str) -> dict[str, bytes]:
    """The batches of a split out of the archive, by `archive/member`; read in passing, in the batches' order."""
    wanted = {name + ending: name for name in _BATCHES[split] for ending in ("", ".bin")}
    found = {}
    try:
        with open(archive, "rb") as packed, gzip.GzipFile(fileobj=packed) as unpacked:
            stream = Limited(unpacked, archive)
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for number, member in enumerate(members):
                    _check_member(member, number, archive)
                    name = os.path.basename(member.name)
                    if member.isreg() and name in wanted:
                        if wanted[name] in found:
                            raise UserError(f"{archive}: holds {name} twice; {_REMEDY}")
                        found[wanted[name]] = (f"{archive}/{name}", members.extractfile(member).read())
            while stream.read(_CHUNK):  # at the end gzip verifies its checksum
                pass
    except UserError:
        raise
    except Exception as error:  # tarfile lets through whatever a broken header makes it run into
        raise UserError(f"{archive}: truncated or damaged ({reason(error)}); CIFAR10's archive was expected; "
                        f"{_REMEDY}") from error
    missing = [name for name in _BATCHES[split] if name not in found]
    if missing:
        raise UserError(f"{archive}: holds no {', '.join(missing)}; this is another archive, or {_REMEDY}")
    return dict(found[name] for name in _BATCHES[split])


def _check_member(member: tarfile.TarInfo, number: int, archive: str) -> None:
    """Nothing is written to disk, so no name can do harm; but an archive that tries is not CIFAR10's."""
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
    if number >= _MAX_MEMBERS or not plain or os.path.isabs(member.name) or ".." in member.name.split("/"):
        raise UserError(f"{archive}: member {number} ({member.name[:80]!r}) is none of CIFAR10's archive; {_REMEDY}")
    if member.size > MAX_BYTES:
        raise UserError(f"{archive}: {member.name[:80]!r} declares {member.size} bytes; {_REMEDY}")
