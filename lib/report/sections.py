"""What the page shows of runs whatever they learned."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lib import pictures, systems
from lib.errors import UserError, reason
from lib.report.page import Figure, Section
from lib.report.runs import Run, printable
from lib.report.tables import NONE, Table, text
from lib.run import place
from lib.run.cost import duration
from lib.run.provenance import of_run as provenance_of_run

_MADE = ("data", "threads", "device", "duration", "command", "versions")


def of_runs(title: str, text: str, runs: Sequence, draw: Callable, missing: str) -> Section:
    """The figures of each run, which `draw(run)` gives as a list; says which runs have none, and why (`missing`)."""
    figures = {run.name: draw(run) for run in runs}
    without = [name for name, drawn in figures.items() if not drawn]
    if without:
        text += f" Not shown: {', '.join(without)} ({missing})."
    return Section(title, text, [figure for drawn in figures.values() for figure in drawn])


def pixels(path: Path) -> np.ndarray:
    """uint8 [h, w, 3] of a picture file; raises `UserError` for one that is none."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(f"cannot read the picture {path}: {reason(error)}; remove it to leave it out") from error


def picture(path: Path, caption: str) -> Figure:
    return Figure(caption, pictures.as_png(pixels(path), small=True), "png")


def chart(caption: str, lines: Sequence[pictures.Line], xlabel: str, ylabel: str, **look) -> Figure:
    return Figure(caption, pictures.line_chart(pictures.Chart(lines, xlabel, ylabel, **look)), "svg+xml")


def curves(runs: Sequence[Run], begins: Callable[[Run], Sequence[int]] = lambda run: ()) -> Section:
    """What training logged, one picture per quantity.

    Args:
      begins: iterations in which a phase of a run begins.
    """
    marks = sorted({mark for run in runs for mark in begins(run)})
    by_quantity = {}
    for run, colour in zip(runs, pictures.colours(len(runs))):
        for quantity in dict.fromkeys([*run.means, *run.values]):
            by_quantity.setdefault(quantity, []).extend(_lines(run, quantity, colour))
    words = "Every value over the iterations of the whole run, and means between log points as a stronger line."
    if marks:
        words += " Dotted lines: something new begins to be learned."
    without = [run.name for run in runs if not run.means and not run.values]
    if without:
        words += f" Without a log: {', '.join(without)}."
    return Section("Curves", words, [chart(quantity, lines, "iteration", quantity, marks=marks)
                                     for quantity, lines in by_quantity.items()])


def _lines(run: Run, quantity: str, colour: str) -> list[pictures.Line]:
    """The values, and the means over them where a log point has several."""
    values, means = (dict(sorted(logged.get(quantity, {}).items())) for logged in (run.values, run.means))
    if len(values) <= len(means):
        return [pictures.Line(run.name, [*means], [*means.values()], colour)]
    faint = pictures.Line("", [*values], [*values.values()], colour, faint=True)
    return [faint, pictures.Line(run.name, [*means], [*means.values()], colour)]


def settings(runs: Sequence[Run]) -> Section:
    """Settings that differ between the runs, a column each, and those that they share."""
    flat = {run.name: _flat(run.settings) for run in runs}
    names = list(dict.fromkeys(name for of_run in flat.values() for name in of_run))

    def values(name):
        return [text(of_run[name]) if name in of_run else NONE for of_run in flat.values()]

    different = [[name, *values(name)] for name in names if len(set(values(name))) > 1]
    same = [[name, values(name)[0]] for name in names if len(set(values(name))) == 1]
    tables = [Table("Settings that differ", ["setting", *(run.name for run in runs)], different)] * bool(different)
    title = "Settings of all runs" if len(runs) > 1 else f"Settings of {runs[0].name}"
    tables.append(Table(title, ["setting", "value"], same))
    return Section("Settings", "As stored in each run's settings.json.", tables=tables)


def _flat(settings: dict) -> dict:
    """Settings within settings under names as `architecture: body`."""
    flat = {}
    for name, value in settings.items():
        inner = value if isinstance(value, dict) else {}
        flat |= {f"{name}: {key}": deeper for key, deeper in inner.items()} or {name: value}
    return flat


def provenance(runs: Sequence[Run]) -> Section:
    """Where each run lies, when it began, how far its log goes, what it learned from, and what computed it."""
    rows = []
    for run in runs:
        written = (run.directory / "settings.json").stat().st_mtime
        began = datetime.datetime.fromtimestamp(written, datetime.timezone.utc)
        last = max((step for by_step in run.means.values() for step in by_step), default=NONE)
        met = place.circumstances(run.directory) | _made(run)
        rows.append([run.name, systems.TITLES[run.system], printable(str(run.directory)), f"{began:%Y-%m-%d %H:%M} UTC",
                     str(last), *(printable(text(met.get(name, NONE))) for name in _MADE)])
    return Section("Provenance", "Where the runs lie.", tables=[Table(
        "Runs of this chapter", ["run", "system", "directory", "began", "last logged iteration", *_MADE], rows)])


def _made(run: Run) -> dict[str, str]:
    """What computed a run, in words, as far as it is known."""
    known = provenance_of_run(run.directory)
    if not known:
        return {}
    return {"duration": duration(known["seconds"]), "device": known.get("device"), "command": known.get("command"),
            "versions": ", ".join(f"{name} {version}" for name, version in known["versions"].items())}
