"""What several tests need and none changes is made once per session, whichever process of pytest-xdist comes first."""

import fcntl
import os
import re
import shutil
from pathlib import Path


def once(factory, name: str, make) -> Path:
    """The directory of this name, filled by `make(directory)` if nobody has. `factory`: pytest's tmp_path_factory."""
    name = re.sub(r"\W+", "_", name)  # a line that names the directory is split at its blanks
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a directory of its own in the session's
        root = root.parent
    directory, made = root / name, root / f"{name}.made"
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(directory, ignore_errors=True)  # of a maker that failed
            directory.mkdir()
            make(directory)
            made.touch()
    return directory
