"""Reads mutated checkpoints and resume points; to be used as `tests.data.mutated` is.

    python -m tests.mutated_checkpoints COUNT SEED [FORMAT ...]
"""

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import tf1
from lib.errors import UserError
from lib.run.resume import ResumePoints
from lib.tf1 import verify
from tests import written
from tests.data.mutated import main

_INDEX, _DATA = ".index", ".data-00000-of-00001"
_VALUES = {"critic/weights": np.random.RandomState(0).randn(3, 3, 4, 4).astype(np.float32),
           "generator/biases": np.arange(40, dtype=np.float32), "step": np.int64(7),
           "text": np.array([b"some", b"text"])}


def _both(prefix: Path) -> dict[str, bytes]:
    return {ending: Path(f"{prefix}{ending}").read_bytes() for ending in (_INDEX, _DATA)}


def _checkpoint() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        tf1.write(Path(folder, "model"), _VALUES)
        return _both(Path(folder, "model"))


def _state() -> dict:
    return {name.replace("/", "_"): tf.Variable(value) for name, value in _VALUES.items() if name != "text"}


def _resume_point() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        ResumePoints(Path(folder), _state()).save(1, 2, "note")
        return _both(Path(folder, "resume/ckpt-1"))


def _reader(whole: dict[str, bytes], read):
    """Reads a changed file of the two, the other one being whole; what is read must be what was written."""
    def read_changed(path: str) -> None:
        prefix, ending = os.path.splitext(path)
        for other in whole.keys() - {ending}:
            written.put(prefix + other, whole[other])
        try:
            read(Path(prefix))
        except UserError as error:
            assert os.path.dirname(path) in str(error)
            raise UserError(f"{path}: {error}") from error

    return read_changed


def _read_checkpoint(prefix: Path) -> None:
    for name, value in tf1.read(prefix).items():
        np.testing.assert_array_equal(value, _VALUES[name])


def _read_any_names(prefix: Path) -> None:
    """With right sums, another name or type cannot be told from the one that was written."""
    tf1.read(prefix)


def _read_resume_point(prefix: Path) -> None:
    state = _state()
    for variable in state.values():
        variable.assign(tf.zeros_like(variable))
    folder = prefix.parent
    points = folder / "run/resume"
    points.mkdir(parents=True, exist_ok=True)
    for ending in (_INDEX, _DATA):
        os.replace(f"{prefix}{ending}", points / f"ckpt-1{ending}")
    with contextlib.redirect_stdout(None):  # it says which points it cannot read
        assert ResumePoints(folder / "run", state).restore()
    for name, variable in state.items():
        np.testing.assert_array_equal(variable, _VALUES[name.replace("_", "/")])


def _number(value: int) -> bytes:
    """In base 128, the low digits first."""
    digits = []
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _framed(block: bytes) -> bytes:
    """With its type and the sum that a record of the same content has."""
    with tempfile.NamedTemporaryFile() as file:
        with tf.io.TFRecordWriter(file.name) as writer:
            writer.write(block + b"\0")
        return block + b"\0" + Path(file.name).read_bytes()[-4:]


def _indexed(block: bytes) -> bytes:
    """An index of one block, whose sums are right whatever is in it."""
    empty = bytes(4) + (1).to_bytes(4, "little")  # the place of the one restart, and their number
    places, index = [], b""
    place = _number(0) + _number(len(block))
    for content in (block, empty, b"\0\1" + _number(len(place)) + b"~" + place + empty):
        places.append(_number(len(index)) + _number(len(content)))
        index += _framed(content)
    return index + (places[1] + places[2]).ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")


def _first_block(index: bytes) -> bytes:
    start_of_second, _ = verify.number(index[-48:], 0)
    return index[:start_of_second - len(_framed(b""))]


_CHECKPOINT, _POINT = _checkpoint(), _resume_point()
FORMATS = {
    "index": ("model.index", _CHECKPOINT[_INDEX], bytes, _reader(_CHECKPOINT, _read_checkpoint)),
    "index inside sums": ("model.index", _first_block(_CHECKPOINT[_INDEX]), _indexed,
                          _reader(_CHECKPOINT, _read_any_names)),
    "data": (f"model{_DATA}", _CHECKPOINT[_DATA], bytes, _reader(_CHECKPOINT, _read_checkpoint)),
    "resume point index": ("a.index", _POINT[_INDEX], bytes, _reader(_POINT, _read_resume_point)),
    "resume point inside sums": ("a.index", _first_block(_POINT[_INDEX]), _indexed,
                                 _reader(_POINT, _read_resume_point)),
    "resume point data": (f"a{_DATA}", _POINT[_DATA], bytes, _reader(_POINT, _read_resume_point)),
}

if __name__ == "__main__":
    main(FORMATS)
