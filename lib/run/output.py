"""Standard output and error that end nothing: what nobody takes any more is dropped, and remembered to be lost."""

import os
import sys


class _Tolerant:
    """A text stream whose writes do not fail."""

    def __init__(self, stream):
        self._stream = stream
        self.lost: OSError | None = None  # why what is written is dropped

    def write(self, text: str) -> int:
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, action, *arguments) -> None:
        try:
            action(*arguments)
        except OSError as error:
            self.lost = self.lost or error
            # What is held back would fail again when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name):
        return getattr(self._stream, name)


def make_tolerant() -> None:
    """Full disks, closed pipes and names that an encoding cannot say no longer raise from a print in this process."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # None: the file was closed from the start
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, _Tolerant(stream))


def lost() -> OSError | None:
    """Why what this process prints is dropped; None while it is not."""
    return getattr(sys.stdout, "lost", None) or getattr(sys.stderr, "lost", None)
