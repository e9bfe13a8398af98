"""`python -m tests.golden FILE.json ...`: recompute golden files and print how far the port is from each.

One line per group of records. Exit code 0: all records within tolerance; 1: some are not, or were not compared;
2: a file cannot be read or is of no known form.
"""

import argparse
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lib.errors import UserError  # noqa: E402
from tests.golden import records, registry  # noqa: E402

SHOWN = 5  # failures named per group


def report(path: str) -> tuple[int, int]:
    """Print a file's groups; returns its numbers of records and of failures."""
    print(path, flush=True)
    document = records.read(path)
    try:
        groups = registry.check(document)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: not of the form that its topic has ({type(error).__name__}: {error})") from error
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
    files = parser.parse_args(arguments).files
    count = failed = unreadable = 0
    for path in files:
        try:
            results = report(path)
        except UserError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            unreadable += 1
            continue
        count, failed = count + results[0], failed + results[1]
    print(f"{len(files)} files, {count} records, {failed} failed"
          + (f", {unreadable} files not checked" if unreadable else ""))
    return 2 if unreadable else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
