"""What ends a run early, and how a script starts and ends."""

import errno
import os
import signal
import sys

from absl import app, flags, logging


class UserError(Exception):
    """Says in one line what is wrong, where, and what to do."""


class TryAgain(Exception):
    """What the same command may get over, in one line as above."""

    exit_code = os.EX_TEMPFAIL


class Interrupted(Exception):
    """A signal ended the run after its state was saved."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_code = 128 + number


def run(main, takes_paths: bool = False) -> None:
    """`app.run` for scripts: what a user can mend becomes one line on standard error and exit code 2.

    With `takes_paths`, main gets the list of arguments that are no flags; otherwise there must be none.
    """

    def parse(arguments):
        try:
            return flags.FLAGS(arguments)
        except flags.Error as error:
            sys.exit(_fail(f"{' '.join(str(error).split())}; see --help"))

    def guarded(arguments):
        if len(arguments) > 1 and not takes_paths:
            return _fail(f"unexpected argument {arguments[1]!r}: flags start with --; see --help")
        try:
            return main(arguments[1:]) if takes_paths else main()
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

    # TensorFlow's notes on missing GPU libraries and on tracing each task anew say nothing to a reader of our output.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.ERROR)
    app.run(guarded, flags_parser=parse)


def _fail(message: str, exit_code: int = 2) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code
