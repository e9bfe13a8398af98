"""A published table: its rows, how each is trained and tested by the original command line, and its Markdown.

Each system has a module `tables` with what it published; `lib.reproduce` runs them.
"""

import abc
import re
from pathlib import Path
from typing import NamedTuple

from lib import files
from lib.report.tables import markdown


def in_path(name: str) -> str:
    """A row's name, or a flag, as a part of a path."""
    return re.sub(r"\W+", "-", name).strip("-")


def published_figures(system: str) -> dict:
    """What `published.json` holds of a system's paper."""
    return files.read_json(Path(__file__).with_name("published.json"))[system]


class Budget(NamedTuple):
    """How much of the published training a row gets, and in what it departs from it."""

    scale: float
    precision: str
    options: tuple[str, ...] = ()  # further flags of the scripts, as "learning_rate=1e-3"

    @property
    def flags(self) -> list[str]:
        return [f"--precision={self.precision}", *(f"--{option}" for option in self.options)]

    @property
    def name(self) -> str:
        """A part of paths that tells such runs from others."""
        return "_".join([self.precision, *map(in_path, self.options)])

    def text(self, amount: str, precision: str) -> str:
        """As the tables put it; `precision` is what the run took."""
        return ", ".join([amount, precision, *self.options])

    def of(self, whole: int) -> int:
        return max(2, round(self.scale * (whole - 1)) + 1)


def _beside(ours: float | None, theirs: float | None, deviation: float | None = None) -> str:
    difference = "" if ours is None or theirs is None else f" ({ours - theirs:+.2f})"
    spread = "" if deviation is None else f" ± {deviation:.2f}"
    return "" if ours is None else f"{ours:.2f}{spread}{difference}"


class Table(abc.ABC):
    """A published table: rows by method, and how each is run and read."""

    rows: dict[str, list[str]]  # method -> script and the flags that make it
    needs: str  # what a machine lacks that cannot run it

    @abc.abstractmethod
    def train(self, row: str, budget: Budget) -> list[str]:
        """The training command: script and flags."""

    def trained(self, row: str, budget: Budget) -> bool:
        """Whether the training is complete, where its command would begin another one."""
        return False

    def test(self, row: str, budget: Budget) -> list[str] | None:
        """The test command of what was trained; None if the training measures what the table shows."""
        return None

    @abc.abstractmethod
    def read(self, row: str, budget: Budget) -> dict:
        """What came out: {"budget": text, ...}, JSON-able."""

    def draw(self, path: Path, results: dict) -> None:
        """Write a PNG of all results, or of those whose run is here, if the table has a picture."""

    @abc.abstractmethod
    def text(self, results: dict, figures: dict) -> str:
        """Markdown of the results beside the published figures (`lib/reproduce/published.json`)."""


class Compared(Table):
    """A table of single figures. `read` gives {"budget": text, "figures": {measure: value}}.

    Of several runs they are means, and "deviations" their standard deviations.
    """

    @abc.abstractmethod
    def published(self, figures: dict) -> dict[str, dict[str, float]]:
        """{measure: {method: value}} from `lib/reproduce/published.json`; a table that no paper has: {measure: {}}."""

    def text(self, results, figures):
        """A line per row that was run: the published figures, ours with the difference, and our budget.

        Below it, in one line, the published figures of the rows that were not. A table that no paper has shows ours
        alone.
        """
        published = self.published(figures)
        is_published = any(published.values())
        if is_published:
            columns = ["", *(f"{measure}: {side}" for measure in published for side in ("published", "ours"))]
        else:
            columns = ["not in the paper", *published]
        lines = [[row, *self._cells(row, results[row], published), results[row]["budget"]]
                 for row in self.rows if row in results]
        parts = [markdown([*columns, "our budget"], lines)] if lines else []
        missing = [row for row in self.rows if row not in results]
        if missing and is_published:
            others = ", ".join(self._published_only(row, published) for row in missing)
            parts.append(f"Not run here, as it needs {self.needs}; published {' / '.join(published)}: {others}.")
        elif missing:
            parts.append(f"Not in the paper, and not run here, as it needs {self.needs}: {', '.join(missing)}.")
        return "\n\n".join(parts)

    @staticmethod
    def _cells(row: str, result: dict, published: dict[str, dict[str, float]]) -> list[str]:
        """Of each measure the published figure, in a table that a paper has, and ours."""
        cells = []
        for measure, by_method in published.items():
            theirs = by_method.get(row)
            if any(published.values()):
                cells.append("" if theirs is None else f"{theirs:.2f}")
            cells.append(_beside(result["figures"].get(measure), theirs, result.get("deviations", {}).get(measure)))
        return cells

    @staticmethod
    def _published_only(row: str, published: dict[str, dict[str, float]]) -> str:
        values = [by_method[row] for by_method in published.values() if row in by_method]
        return f"{row} {' / '.join(f'{value:.2f}' for value in values) or '(not published)'}"
