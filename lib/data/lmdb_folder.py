"""Encoded images in an LMDB database, the form in which LSUN is distributed (the `lsun` extra brings the package).

LMDB maps its file into memory and trusts it; unlike the other readers this one cannot guard against a hostile
file, so take LSUN's databases from LSUN.
"""

import functools
import io
import os

import numpy as np

from lib.errors import UserError, reason


class Records:
    """The records of a database folder: `keys` [n] in the database's order, and each record as an open file.

    Only the keys are held in memory. Raises `UserError` if the package is missing or the folder holds no database.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._environment, self.keys = _opened(folder)

    def open(self, key: bytes) -> io.BytesIO:
        with self._environment.begin() as transaction:
            record = transaction.get(bytes(key))
        if record is None:
            raise UserError(f"{self.name(key)}: not found; LSUN's keys have one length, these have not")
        return io.BytesIO(record)

    def name(self, key: bytes) -> str:
        return f"{self._folder}: {bytes(key).decode('latin-1')}"


@functools.cache  # LMDB lets a process open a database once
def _opened(folder: str):
    """The database and its keys [n]; LSUN's have one length, and an array of them takes a third of a list."""
    try:
        import lmdb
    except ImportError as error:
        raise UserError(f"{folder}: reading it takes the package lmdb, which is not installed; run pip install lmdb, "
                        f"or unpack the images into folders") from error
    try:
        environment = lmdb.open(folder, readonly=True, lock=False, readahead=False)
        _check_size(folder, environment)
        with environment.begin() as transaction, transaction.cursor() as cursor:
            if not cursor.first():
                raise UserError(f"{folder}: the database is empty; fetch it again")
            keys = np.fromiter(cursor.iternext(values=False), f"S{len(cursor.key())}")
    except lmdb.Error as error:
        raise UserError(f"{folder}: cannot be read ({reason(error)}); an LMDB folder as LSUN distributes it was "
                        f"expected; fetch it again") from error
    return environment, keys


def _check_size(folder: str, environment) -> None:
    """A file that lacks pages would end the process when they are read."""
    path = os.path.join(folder, "data.mdb")
    declared = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    size = os.path.getsize(path)
    if size < declared:
        environment.close()
        raise UserError(f"{path}: {size} bytes of {declared}, its download broke off; fetch it again")
