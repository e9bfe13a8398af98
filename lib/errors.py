"""The one exception for what a user can mend, and how a script starts and ends."""

import os
import sys

from absl import app


class UserError(Exception):
    """Says in one line what is wrong, where, and what to do."""


def run(main) -> None:
    """`app.run` for scripts: a `UserError` becomes one line on standard error and exit code 2."""

    def guarded(arguments):
        if len(arguments) > 1:
            return fail(f"unexpected argument {arguments[1]!r}: flags start with --; see --help")
        try:
            return main()
        except UserError as error:
            return fail(str(error))

    def fail(message):
        print(f"error: {message}", file=sys.stderr)
        return 2

    # TensorFlow's notes on missing GPU libraries say nothing to a reader of our output.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    app.run(guarded)
