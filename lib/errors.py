"""What ends a run early, and how a script starts and ends."""

import os
import sys

from absl import app, logging


class UserError(Exception):
    """Says in one line what is wrong, where, and what to do."""


class Interrupted(Exception):
    """A signal ended the run after its state was saved."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_code = 128 + number


def run(main) -> None:
    """`app.run` for scripts: a `UserError` becomes one line on standard error and exit code 2."""

    def guarded(arguments):
        if len(arguments) > 1:
            return fail(f"unexpected argument {arguments[1]!r}: flags start with --; see --help")
        try:
            return main()
        except UserError as error:
            return fail(str(error))
        except Interrupted as stop:
            print("stopped, everything is saved: the same command goes on from here", file=sys.stderr)
            return stop.exit_code

    def fail(message):
        print(f"error: {message}", file=sys.stderr)
        return 2

    # TensorFlow's notes on missing GPU libraries and on how long a save took say nothing to a reader of our output.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.WARNING)
    app.run(guarded)
