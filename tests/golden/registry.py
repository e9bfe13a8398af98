"""Which function recomputes which golden file, and the checking of a file by it.

Each system has a module `tests.golden.<system>` with `TOPICS: dict[str, Topic]`.
"""

import importlib
import importlib.util
import math
from typing import Callable, Iterable, NamedTuple

from lib.errors import UserError
from tests.golden import records
from tests.golden.records import Comparison, Document

SYSTEMS = ("mergan", "memorygan", "lvae")

# Names under which a file keeps no results, whatever its system.
SETTINGS = frozenset({"describes", "system", "topic", "prefix", "verification", "backend", "variables", "inputs",
                      "note", "zeros"})


class Topic(NamedTuple):
    """A form of golden file."""

    compare: Callable[[Document], Iterable[Comparison]]  # recomputes every record
    settings: frozenset[str] = frozenset()  # further names under which its files keep settings and remarks


class Group(NamedTuple):
    """A line of the report."""

    name: str
    count: int
    error: float  # the largest relative error
    bound: float  # allowed there
    worst: str  # the record that has it
    failures: tuple[str, ...]

    def __str__(self):
        verdict = "FAILED" if self.failures else "ok"
        return (f"{self.name:44} {self.count:4} records  largest error {self.error:7.1e} of {self.bound:7.1e}"
                f"  {verdict:6}  {self.worst}")


def find(document: Document) -> Topic:
    """The topic of a file, by its fields `system` and `topic`, or by its name where it has no such fields."""
    stem = document.path.stem
    system = str(document.data.get("system") or next((name for name in SYSTEMS if name in stem), "")).lower()
    if system not in SYSTEMS:
        raise UserError(f"{document.path}: unknown system {system!r}: the field 'system' or the file name has to be "
                        f"one of {', '.join(SYSTEMS)}")
    module = f"tests.golden.{system}"
    if importlib.util.find_spec(module) is None:
        raise UserError(f"{document.path}: there is no checker for {system} here")
    topics = importlib.import_module(module).TOPICS
    name = document.data.get("topic") or _topic_of(stem.partition(f"{system}_")[2], topics)
    if name not in topics:
        raise UserError(f"{document.path}: unknown topic {name!r} of {system}; known: "
                        f"{', '.join(sorted(topics)) or 'none'}")
    return topics[name]


def _topic_of(stem: str, topics) -> str:
    """The longest topic that a file name begins with."""
    return max((name for name in topics if stem.startswith(name)), key=len, default=stem)


def check(document: Document) -> list[Group]:
    """Recompute and compare every record of a file. A record that nothing was compared with fails."""
    topic = find(document)
    missing = dict.fromkeys(records.leaves(document.data, SETTINGS | topic.settings))  # an ordered set
    groups: dict[str, list] = {}
    for comparison in topic.compare(document):
        if comparison.path not in missing:
            raise UserError(f"{document.path}: {'/'.join(map(str, comparison.path))} was compared, but is no record "
                            "of the file, or was compared before")
        del missing[comparison.path]
        error, bound = records.error_and_bound(comparison, records.look_up(document.data, comparison.path))
        groups.setdefault(comparison.group, []).append((error, bound, comparison.path))
    lines = [_group(name, results) for name, results in groups.items()]
    if missing:
        lines.append(_group("not compared", [(math.inf, 0.0, path) for path in missing]))
    if not lines:
        raise UserError(f"{document.path}: holds no records")
    return lines


def _group(name: str, results: list) -> Group:
    failures = tuple(f"{'/'.join(map(str, path))}: {error:.1e} of {bound:.1e}"
                     for error, bound, path in results if not error <= bound)
    # A number that is not one is the worst of errors.
    error, bound, path = max(results, key=lambda result: math.inf if math.isnan(result[0]) else result[0])
    return Group(name, len(results), error, bound, str(path[-1]), failures)
