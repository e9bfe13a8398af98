"""`python -m tests.golden FILE.json ...`: recompute golden files and print how far the port is from each.

One line per group of records. `--list` names the cases that a file falls into instead, and `--case NAME` checks one of
them. Exit code 0: all records within tolerance; 1: some are not, or were not compared;
2: a file cannot be read or is of no known form.
"""

import argparse
import contextlib
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib.errors import UserError  # noqa: E402
from tests.golden import records, registry  # noqa: E402

SHOWN = 5  # failures named per group


@contextlib.contextmanager
def _of_its_form(path: str):
    """What goes wrong within because of a file of another form, as a `UserError`."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: not of the form that its topic has ({type(error).__name__}: {error})") from error


def list_cases(path: str) -> tuple[int, int]:
    """Print the names of a file's cases; nothing is compared."""
    print(path, flush=True)
    document = records.read(path)
    with _of_its_form(path):
        names = registry.cases(document)
    for name in names:
        print(f"  {name}")
    return 0, 0


def report(path: str, case: str | None = None) -> tuple[int, int]:
    """Print the groups of a file, or of one of its cases; returns its numbers of records and of failures."""
    print(path, flush=True)
    document = records.read(path)
    from lib import device  # TensorFlow takes seconds to import: an unreadable file should not wait for it

    device.set_up()
    with _of_its_form(path):
        groups = registry.check(document, case)
    for group in groups:
        print(f"  {group}")
        for failure in group.failures[:SHOWN]:
            print(f"      {failure}")
        if len(group.failures) > SHOWN:
            print(f"      and {len(group.failures) - SHOWN} more")
    count = sum(group.count for group in groups)
    failed = sum(len(group.failures) for group in groups)
    print(f"  {count} records, {failed} failed", flush=True)
    return count, failed


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE.json")
    parser.add_argument("--case", metavar="NAME", help="check this case only")
    parser.add_argument("--list", action="store_true", help="list the cases instead of checking them")
    options = parser.parse_args(arguments)
    files = options.files
    count = failed = unreadable = 0
    for path in files:
        try:
            results = list_cases(path) if options.list else report(path, options.case)
        except UserError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            unreadable += 1
            continue
        count, failed = count + results[0], failed + results[1]
    if not options.list:
        print(f"{len(files)} files, {count} records, {failed} failed"
              + (f", {unreadable} files not checked" if unreadable else ""))
    return 2 if unreadable else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
