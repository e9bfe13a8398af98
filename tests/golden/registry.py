"""Which function recomputes which golden file, and the checking of a file, or of one of its cases, by it.

Each system has a module `tests.golden.<system>` with `TOPICS: dict[str, Topic]`. A file falls into cases: what can be
recomputed without the rest of the file. Every record belongs to one case by its place in the file, so that a check of
all cases one by one leaves out no record that a check of the whole file would find.
"""

import functools
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


# By name, what recomputes all records of a case when it is called. Nothing is computed before.
Cases = dict[str, Callable[[], Iterable[Comparison]]]


def place(path: tuple) -> str:
    """Where a record is, as text that begins with its case's name: cases and tensors stand under names of theirs."""
    return "/".join(map(str, path[1:] if path[0] in ("cases", "tensors") else path))


class Topic(NamedTuple):
    """A form of golden file."""

    cases: Callable[[Document], Cases]  # in the order in which they are reported
    settings: frozenset[str] = frozenset()  # further names under which its files keep settings and remarks
    place: Callable[[tuple], str] = place  # of a record by its path


def by_name(compare: Callable[[Document, str], Iterable[Comparison]]) -> Callable[[Document], Cases]:
    """The cases of a file that keeps them under `cases`; `compare` recomputes the one of a name."""
    return lambda document: {name: functools.partial(compare, document, name) for name in document["cases"]}


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


def cases(document: Document) -> list[str]:
    """The names of a file's cases, all of which hold records."""
    topic = find(document)
    return [name for name in _records(document, topic, topic.cases(document)) if name is not None]


def strays(document: Document) -> list[tuple]:
    """The paths of records that belong to no case. A check of the whole file finds them not compared."""
    topic = find(document)
    return _records(document, topic, topic.cases(document)).get(None, [])


def _records(document: Document, topic: Topic, names: Iterable[str]) -> dict[str | None, list[tuple]]:
    """Paths of all records by case, without cases that hold none; those that belong to no case under None."""
    held = {name: [] for name in names}
    # Of a case and another one whose name goes on behind a slash, the longer name is meant.
    by_length = sorted(held, key=len, reverse=True)
    for path in records.leaves(document.data, SETTINGS | topic.settings):
        at = topic.place(path)
        owner = next((name for name in by_length if f"{at}/".startswith(f"{name}/")), None)
        held.setdefault(owner, []).append(path)
    return {name: paths for name, paths in held.items() if paths}


def check(document: Document, case: str | None = None) -> list[Group]:
    """Recompute and compare every record of a file, or of one of its cases.

    A record that nothing was compared with fails.
    """
    topic = find(document)
    recompute = topic.cases(document)
    held = _records(document, topic, recompute)
    if not held:
        raise UserError(f"{document.path}: holds no records")
    if case is not None:
        if case not in held:
            raise UserError(f"{document.path}: has no case {case!r}; it has: {', '.join(filter(None, held))}")
        held = {case: held[case]}
    groups: dict[str, list] = {}
    missing = held.pop(None, [])
    for name, paths in held.items():
        missing += _compare(document, recompute[name](), paths, groups)
    lines = [_group(name, results) for name, results in groups.items()]
    if missing:
        lines.append(_group("not compared", [(math.inf, 0.0, path) for path in missing]))
    return lines


def _compare(document: Document, comparisons: Iterable[Comparison], paths: list[tuple], groups: dict) -> list[tuple]:
    """Add the errors of a case's comparisons to `groups`; returns those of its records that were not compared."""
    missing = dict.fromkeys(paths)  # an ordered set
    for comparison in comparisons:
        if comparison.path not in missing:
            raise UserError(f"{document.path}: {'/'.join(map(str, comparison.path))} was compared, but is no record "
                            "of the case, or was compared before")
        del missing[comparison.path]
        error, bound = records.error_and_bound(comparison, records.look_up(document.data, comparison.path))
        groups.setdefault(comparison.group, []).append((error, bound, comparison.path))
    return list(missing)


def _group(name: str, results: list) -> Group:
    failures = tuple(f"{'/'.join(map(str, path))}: {error:.1e} of {bound:.1e}"
                     for error, bound, path in results if not error <= bound)
    # A number that is not one is the worst of errors.
    error, bound, path = max(results, key=lambda result: math.inf if math.isnan(result[0]) else result[0])
    return Group(name, len(results), error, bound, str(path[-1]), failures)
