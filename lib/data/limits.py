"""Reading what may be damaged or hostile: how much is too much."""

from typing import BinaryIO

from lib.errors import UserError

# No file of the data sets read here holds more, packed or not, so none gets more of the memory.
MAX_BYTES = 1 << 29


class Limited:
    """A binary file of which at most `MAX_BYTES` are read: a small packed file can unpack to anything."""

    def __init__(self, file: BinaryIO, path: str):
        self._file, self._path, self._left = file, path, MAX_BYTES

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"{self._path}: unpacks to more than {MAX_BYTES} bytes, which no data set read here "
                            f"does; fetch the file again")
        return data
