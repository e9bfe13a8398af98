"""Runs side by side: a table and curves over the transitions, for all methods."""

from collections.abc import Sequence
from pathlib import Path

from lib import files, pictures, systems
from lib.errors import UserError
from lib.report.tables import markdown, number

QUANTITIES = {"elbo": "negative test ELBO, all distributions",
              "seen_elbo": "negative test ELBO, distributions seen so far",
              "frechet_distance": "Frechet distance of samples (classifier features), distributions seen so far",
              "frechet_reconstructions": "Frechet distance of reconstructions (classifier features), distributions "
                                         "seen so far",
              "consistency_accuracy": "consistency of student and teacher"}

_READ = ("seen_elbo", "frechet_distance", "frechet_reconstructions", "samples_by_distribution", "consistency_accuracy",
         "frechet_depends_on")


def read(directory: Path) -> tuple[str, list[dict]]:
    """(name of the method, one dictionary of figures per transition) of a run's directory."""
    settings, path = files.read_json(Path(directory) / "settings.json", dict), Path(directory) / "results.json"
    if systems.system_of(settings) != "lvae":
        raise UserError(f"{directory} holds no run of the Lifelong VAE")
    try:
        rows = transitions(files.read_json(path, list))
        return (str(settings["method"]) if settings["sequential"] else "all at once"), rows
    except (KeyError, TypeError, AttributeError, ZeroDivisionError, OverflowError) as error:
        raise UserError(f"{path} or settings.json beside it is not what training writes") from error


def transitions(results: list[dict]) -> list[dict]:
    """The figures of each transition from what `results.json` holds; `TypeError` and the like for what it cannot."""
    rows = [{"distribution": str(result["distribution"]),
             **{name: result.get(name) for name in _READ},
             # Two test sets count alike.
             "elbo": sum(means["elbo"] for means in result["tests"].values()) / len(result["tests"])}
            for result in results]
    if not all(isinstance(row[name], (int, float, type(None))) for row in rows for name in QUANTITIES):
        raise TypeError("a figure that is no number")
    return rows


def title(quantity: str) -> str:
    """What stands above a quantity's table and curves."""
    return QUANTITIES[quantity][0].upper() + QUANTITIES[quantity][1:]


def table(runs: dict[str, list[dict]], quantity: str) -> str:
    """Markdown: a line per transition, a column per run."""
    longest = max(runs.values(), key=len)
    lines = []
    for index, row in enumerate(longest):
        values = [rows[index][quantity] if index < len(rows) else None for rows in runs.values()]
        lines.append([str(index + 1), row["distribution"], *(number(value, missing="") for value in values)])
    return markdown(["transition", "distribution", *runs], lines, numeric=len(runs))


def chart(runs: dict[str, list[dict]], quantity: str) -> pictures.Chart:
    """A curve per run over the transitions."""
    lines = []
    for name, rows in runs.items():
        points = [(number, row[quantity]) for number, row in enumerate(rows, 1) if row[quantity] is not None]
        if points:
            lines.append(pictures.Line(name, *zip(*points)))
    # Several short lines: titles side by side would run together.
    return pictures.Chart(lines, "transition", "", title(quantity).replace(" (", "\n(").replace(", ", ",\n"))


def draw(path: Path, runs: dict[str, list[dict]], quantities: Sequence[str]) -> None:
    """A panel per quantity with one curve per run."""
    files.write_bytes(path, pictures.line_chart(*(chart(runs, quantity) for quantity in quantities), kind="png",
                                                size=(4.5, 4)))


def run(directories: Sequence[str], output: str) -> None:
    """Print the tables of these runs and write them, with curves, under `output`."""
    runs: dict[str, list[dict]] = {}
    for directory in directories:
        method, rows = read(directory)
        runs[method if method not in runs else f"{method} ({Path(directory).name})"] = rows
    files.make_directory(output)
    text = []
    for quantity in QUANTITIES:
        if any(row[quantity] is not None for rows in runs.values() for row in rows):
            text.append(f"{title(quantity)}\n\n{table(runs, quantity)}\n")
            draw(Path(output) / f"{quantity}.png", runs, [quantity])
    files.write_text(Path(output) / "transitions.md", "\n".join(text))
    print("\n".join(text))
