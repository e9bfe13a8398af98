"""Whether a checkpoint's files are what they say, before TensorFlow reads them.

TensorFlow checks the sums of what it reads, but trusts what has a right sum: it ends the process over an index that
somebody made up, or takes as much memory as that declares. The index is a table of LevelDB's form, from the names of
tensors to where they lie in the data files: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

import math
import stat
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import tensor_bundle_pb2

_FOOTER = 48  # bytes: two handles, and a magic number at the end
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_MAX_INDEX = 1 << 26
_MAX_RANK = 254  # of TensorFlow's shapes
_LONGEST_NUMBER = 10  # bytes of a 64-bit number in base 128


def check(prefix: Path) -> None:
    """Raises `ValueError` where `prefix`.index and its data files do not fit each other, `OSError` without them."""
    path = Path(f"{prefix}.index")
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path.name} is no file")
    if path.stat().st_size > _MAX_INDEX:
        raise ValueError(f"an index of more than {_MAX_INDEX} bytes")
    index = path.read_bytes()
    try:
        entries = dict(_table(index))
        header = tensor_bundle_pb2.BundleHeaderProto.FromString(entries.pop(b"", b""))
        tensors = [tensor_bundle_pb2.BundleEntryProto.FromString(value) for value in entries.values()]
    except (IndexError, DecodeError) as error:
        raise ValueError("a damaged index") from error
    if header.num_shards < 1 or header.endianness != header.LITTLE:
        raise ValueError("a damaged index, or one of a machine with another order of bytes")
    left = {}
    for tensor in tensors:
        if not 0 <= tensor.shard_id < header.num_shards:
            raise ValueError(f"a tensor in data file {tensor.shard_id} of {header.num_shards}")
        path = Path(f"{prefix}.data-{tensor.shard_id:05d}-of-{header.num_shards:05d}")
        size = path.stat().st_size
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError(f"{path.name} is no file")
        left[path] = left.get(path, size) - tensor.size
        if tensor.offset < 0 or tensor.size < 0 or tensor.offset + tensor.size > size or left[path] < 0:
            raise ValueError(f"{path.name} has {size} bytes, fewer than its index says; it is truncated or of another "
                             "checkpoint")
        _check_size(tensor, path)


def number(data: bytes, position: int) -> tuple[int, int]:
    """A number in base 128, the low digits first, and where it ends. Raises `IndexError` beyond the data."""
    value = 0
    for digit in range(_LONGEST_NUMBER):
        byte = data[position + digit]
        value |= (byte & 0x7F) << 7 * digit
        if byte < 0x80:
            return value, position + digit + 1
    raise ValueError("a number of more than 64 bits")


def _check_size(tensor, path: Path) -> None:
    """Whether a tensor of its type and shape fills its bytes."""
    if tensor.slices or tensor.shape.unknown_rank or any(dimension.size < 0 for dimension in tensor.shape.dim):
        raise ValueError("a tensor without a shape, or in slices")
    try:
        dtype = tf.as_dtype(tensor.dtype)
    except TypeError as error:
        raise ValueError(f"a tensor of unknown type {tensor.dtype}") from error
    if dtype.name.endswith("_ref") or dtype in (tf.resource, tf.variant):
        raise ValueError(f"a tensor of type {dtype.name}, which no file can hold")
    if len(tensor.shape.dim) > _MAX_RANK:
        raise ValueError(f"a tensor of {len(tensor.shape.dim)} dimensions")
    # TensorFlow multiplies the sizes in 64 bits, before it comes to a zero.
    if math.prod(max(dimension.size, 1) for dimension in tensor.shape.dim) >= 1 << 62:
        raise ValueError("a tensor of more values than can be counted")
    count = math.prod(dimension.size for dimension in tensor.shape.dim)
    if dtype == tf.string:
        with open(path, "rb") as file:
            file.seek(tensor.offset)
            needed = _length_of_strings(file.read(min(tensor.size, _LONGEST_NUMBER * count)), count)
    else:
        needed = count * dtype.size
    if needed > tensor.size or dtype != tf.string and needed < tensor.size:
        raise ValueError(f"a tensor of {needed} bytes in {tensor.size}")


def _length_of_strings(data: bytes, count: int) -> int:
    """Of `count` strings whose lengths stand at the beginning of `data`."""
    if count > len(data):
        raise ValueError(f"{count} strings in {len(data)} bytes")
    total = position = 0
    try:
        for _ in range(count):
            length, position = number(data, position)
            total += length
    except IndexError as error:
        raise ValueError("damaged strings") from error
    return position + total


def _table(index: bytes):
    """(key, value) of all entries."""
    if index[-len(_MAGIC):] != _MAGIC or len(index) < _FOOTER:
        raise ValueError("not an index, or a truncated one")
    footer = index[-_FOOTER:]
    _, position = number(footer, 0)
    _, position = number(footer, position)
    for _, handle in _block(index, footer[position:]):
        yield from _block(index, handle)


def _block(index: bytes, handle: bytes):
    """(key, value) of the entries of the block that a handle points to; a key begins like the one before."""
    start, position = number(handle, 0)
    size, _ = number(handle, position)
    block = index[start:start + size]
    if len(block) < size or index[start + size]:
        raise ValueError("a damaged or compressed block of the index")
    restarts = int.from_bytes(block[-4:], "little")
    end, position, key = size - 4 * (restarts + 1), 0, b""
    if end < 0:
        raise ValueError("a damaged block of the index")
    while position < end:
        shared, position = number(block, position)
        own, position = number(block, position)
        length, position = number(block, position)
        if shared > len(key) or position + own + length > end:
            raise ValueError("a damaged entry of the index")
        key = key[:shared] + block[position:position + own]
        yield key, block[position + own:position + own + length]
        position += own + length
