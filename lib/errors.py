"""What ends a run early, and how a script starts and ends."""

import errno
import os
import signal
import sys

from absl import logging

from lib.run import output

_SIGPIPE = 13
# Flags of which memory depends.
_SIZES = ("batch_size", "batch", "mem_size", "z_dim", "f_dim", "fc_dim", "key_dim", "choose_k", "latent_size",
          "samples", "tsne_samples", "permutations")
# Beside an interrupt: a scheduler's end and its warning, a closed terminal.
STOPPING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2") if hasattr(signal, name))


class UserError(Exception):
    """Says in one line what is wrong, where, and what to do."""


class TryAgain(Exception):
    """A failure that the same command may not meet again; says so in one line."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class Interrupted(Exception):
    """A signal ended the run after its state was saved."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_code = 128 + number


class _Stopped(BaseException):
    """A signal came while no run was there to save itself; as `KeyboardInterrupt`, nothing on the way takes it."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_code = 128 + number


def _raise_stopped(number, frame) -> None:
    raise _Stopped(number)


def reason(error: BaseException) -> str:
    """What an exception says, on one line of at most 300 characters."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def run(main) -> None:
    """Run a script's `main(arguments)` and end the process with its exit code.

    What a user can mend becomes one line on standard error and exit code 2.
    """
    # TensorFlow's notes on missing GPU libraries and on tracing each task anew say nothing to a reader of our output.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.ERROR)
    output.make_tolerant()
    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise_stopped)
    code = _guarded(main, sys.argv[1:])
    sys.stdout.flush()
    sys.exit(_judged_by_output(code))


def _guarded(main, arguments: list[str]) -> int | None:
    try:
        return main(arguments)
    except UserError as error:
        return _fail(str(error))
    except TryAgain as error:
        return _fail(str(error), error.exit_code)
    except Interrupted as stop:
        print("stopped, everything is saved: the same command goes on from here", file=sys.stderr)
        return stop.exit_code
    except (KeyboardInterrupt, _Stopped) as stop:
        print("stopped: the same command starts again where the last resume point is", file=sys.stderr)
        return getattr(stop, "exit_code", 128 + signal.SIGINT)
    except Exception as error:
        if not _is_lack_of_memory(error):
            raise
        return _fail(_too_large(error, arguments))


def _is_lack_of_memory(error: Exception) -> bool:
    """Of NumPy's and Python's, or of TensorFlow's, which may not be imported here."""
    said, kind = str(error), type(error).__name__
    return (isinstance(error, MemoryError) or kind == "ResourceExhaustedError"
            or kind == "InternalError" and ("allocate" in said or "Dst tensor is not initialized" in said))


def _too_large(error: Exception, arguments: list[str]) -> str:
    given = [name for argument in arguments
             if (name := argument.partition("=")[0]).startswith("--") and name.lstrip("-") in _SIZES]
    lower = " or ".join(dict.fromkeys(given)) or "a size that the script has, as --batch_size or --mem_size"
    return f"not enough memory ({reason(error)[:120]}); lower {lower}, or free what other programs take"


def _judged_by_output(code: int | None) -> int | None:
    """The exit code where what was printed could not all be written."""
    lost = output.lost()
    if lost is None or code not in (None, 0, 128 + _SIGPIPE):
        return code
    if lost.errno == errno.EPIPE:  # `| head`
        return 128 + _SIGPIPE
    return _fail(f"cannot write the output: {lost.strerror}; free some space and start the same command again")


def _fail(message: str, exit_code: int = 2) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code
