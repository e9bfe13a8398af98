"""Lifelong VAE: runs side by side, transition by transition. See lvae/README.md.

    python compare_runs.py --runs=experiment_0,experiment_1 --output=comparison
"""

import dataclasses
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lib import errors  # noqa: E402
from lib.errors import UserError  # noqa: E402
from lib.run.flags import Parser  # noqa: E402
from lib.run.settings import Checked, FilePath, setting  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is compared."""

    runs: tuple[str, ...] = setting((), "Directories of the runs, with commas between.")
    output: FilePath = setting("comparison", "Where the table and the curves go.")


def main(arguments: list[str]) -> None:
    command = Parser(__doc__).add(Command).parse(arguments).of(Command)
    if not command.runs:
        raise UserError("name the directories of the runs to compare: --runs=experiment_0,experiment_1")

    from lvae import comparison

    comparison.run(command.runs, command.output)


if __name__ == "__main__":
    errors.run(main)
