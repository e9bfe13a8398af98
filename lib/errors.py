"""What ends a run early, and how a script starts and ends."""

import errno
import os
import signal
import sys

from absl import logging


class UserError(Exception):
    """Says in one line what is wrong, where, and what to do."""


class TryAgain(Exception):
    """A failure that the same command may not meet again; says so in one line."""

    exit_code = os.EX_TEMPFAIL


class Interrupted(Exception):
    """A signal ended the run after its state was saved."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_code = 128 + number


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
    sys.exit(_guarded(main, sys.argv[1:]))


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
    except KeyboardInterrupt:
        print("stopped: the same command starts again where the last resume point is", file=sys.stderr)
        return 128 + signal.SIGINT
    except OSError as error:  # of the file that takes what is printed: every other one is a UserError
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what could not be printed
        return _fail(f"cannot write the output: {error.strerror}; free some space and start the same command again")


def _fail(message: str, exit_code: int = 2) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code
