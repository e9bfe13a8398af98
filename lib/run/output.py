"""Standard output and error that end nothing: what nobody takes any more is dropped, and remembered to be lost."""

import contextlib
import os
import subprocess
import sys

# What TensorFlow says at its start, whatever its log level is set to: of oneDNN, of CPU instructions, of CUDA libraries
# that are not there, and that all this is said before its log has begun.
_STARTUP = (r"All log messages before absl::InitializeLog|oneDNN custom operations are on|computation_placer|"
            r"This TensorFlow binary is optimized|To enable the following instructions|Unable to register cu|"
            r"Could not find cuda drivers|Unable to find.*cuda|failed call to cuInit|Cannot dlopen some GPU libraries|"
            r"Skipping registering GPU devices|Could not find TensorRT|cuda_dnn|cuda_blas|cuda_fft|cuda_diagnostics")


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


@contextlib.contextmanager
def without_startup_lines():
    """Import TensorFlow in this block: its notes on what is not there are not shown.

    Every other line on standard error is, an abort's last words, too: another process looks at each.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # no grep, or standard error is closed: all is shown
            shown = os.dup(2)
            stack.callback(os.close, shown)
            sieve = subprocess.Popen(["grep", "--line-buffered", "-v", "-E", _STARTUP], stdin=subprocess.PIPE,
                                     stdout=shown, start_new_session=True)
            stack.enter_context(sieve)  # waits for it
            os.dup2(sieve.stdin.fileno(), 2)
            stack.callback(os.dup2, shown, 2)
        yield


def lost() -> OSError | None:
    """Why what this process prints is dropped; None while it is not."""
    return getattr(sys.stdout, "lost", None) or getattr(sys.stderr, "lost", None)
