"""Runs side by side: a table and curves over the transitions, for all methods."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lib import files, pictures, systems
from lib.errors import UserError
from lib.report.tables import markdown, number
from lib.run import log
from lvae import distributions
from lvae.config import config_of

QUANTITIES = {"elbo": "negative test ELBO, all distributions",
              "seen_elbo": "negative test ELBO, distributions seen so far",
              "frechet_distance": "Frechet distance of samples (classifier features), distributions seen so far",
              "frechet_reconstructions": "Frechet distance of reconstructions (classifier features), distributions "
                                         "seen so far",
              "consistency_accuracy": "consistency of student and teacher"}

_THOUSAND = 1000
_READ = ("seen_elbo", "frechet_distance", "frechet_reconstructions", "samples_by_distribution", "consistency_accuracy",
         "frechet_depends_on")


def read(directory: Path) -> tuple[str, list[dict]]:
    """(name of the method, one dictionary of figures per transition) of a run's directory."""
    settings, path = files.read_json(Path(directory) / "settings.json", dict), Path(directory) / "results.json"
    if systems.system_of(settings) != "lvae":
        raise UserError(f"{directory} holds no run of the Lifelong VAE")
    try:
        rows = transitions(files.read_json(path, list), visited(directory))
        return (str(settings["method"]) if settings["sequential"] else "all at once"), rows
    except (KeyError, TypeError, AttributeError, ZeroDivisionError, OverflowError) as error:
        raise UserError(f"{path} or settings.json beside it is not what training writes") from error


def visited(directory: Path) -> int:
    """How many distributions a run has visited, with those of the model that it began with; 0 if it does not say."""
    path = Path(directory) / "models" / "class_list.csv"
    return len(path.read_text(errors="replace").splitlines()) if path.is_file() else 0


def transitions(results: list[dict], visited: int = 0) -> list[dict]:
    """The figures of each transition from what `results.json` holds; `TypeError` and the like for what it cannot.

    Args:
      visited: distributions that the run has visited, which tells where one began whose results do not say it.
    """
    first = max(visited - len(results), 0) + 1
    rows = [{"distribution": str(result["distribution"]),
             "transition": result.get("transition", number),
             **{name: result.get(name) for name in _READ},
             # Two test sets count alike.
             "elbo": sum(means["elbo"] for means in result["tests"].values()) / len(result["tests"])}
            for number, result in enumerate(results, first)]
    if not all(isinstance(row[name], (int, float, type(None))) for row in rows for name in (*QUANTITIES, "transition")):
        raise TypeError("a figure that is no number")
    return rows


def after_switches(directory: Path, count: int) -> list[float]:
    """Negative test ELBO, all distributions, in the first, second ... thousand iterations after a switch.

    Mean over the switches of a run between `count` distributions; `UserError` for a log that is not training's.
    """
    tests = [(int(step), value) for line in log.read(Path(directory) / "log.jsonl")
             for name, values in line.get("values", {}).items() if name.endswith("test_elbo")
             for step, value in values.items()]  # two test sets count alike
    visits = distributions.schedule(config_of(files.read_json(Path(directory) / "settings.json", dict)), count)
    switches = np.cumsum([visit.iterations for visit in visits])[:-1]
    found = []
    for began, visit in zip(switches, visits[1:]):
        own = [(step - began, value) for step, value in tests if 0 < step - began < visit.iterations]
        parts = [[value for step, value in own if start < step <= start + _THOUSAND]
                 for start in range(0, visit.iterations, _THOUSAND)]
        found.append([float(np.mean(part)) for part in parts if part])
    return np.mean([means[:min(map(len, found))] for means in found], axis=0).tolist() if found else []


def title(quantity: str) -> str:
    """What stands above a quantity's table and curves."""
    return QUANTITIES[quantity][0].upper() + QUANTITIES[quantity][1:]


def aligned(runs: dict[str, list[dict]]) -> list[tuple[int, str, list[dict | None]]]:
    """(transition, distribution, each run's figures there or None), in the order of the transitions.

    A run that began with a loaded model has figures from that model's next distribution on. Runs that learned
    different distributions at the same transition have a line each.
    """
    found = {name: {place(row, number): row for number, row in enumerate(rows, 1)} for name, rows in runs.items()}
    # By transition alone, so that of different distributions the first run's comes first.
    places = sorted(dict.fromkeys(key for rows in found.values() for key in rows), key=lambda key: key[0])
    return [(*key, [rows.get(key) for rows in found.values()]) for key in places]


def place(row: dict, number: int) -> tuple[int, str]:
    """(transition, distribution) of a run's row number `number` (from 1), which older tables do not say."""
    return row.get("transition", number), row["distribution"]


def points(rows: list[dict], quantity: str) -> list[tuple[int, float]]:
    """(transition, value) of a run's curve."""
    return [(place(row, number)[0], row[quantity]) for number, row in enumerate(rows, 1) if row[quantity] is not None]


def cells(runs: dict[str, list[dict]], quantity: str, missing: str) -> list[list[str]]:
    """Of a table under "transition", "distribution" and the runs: a line per transition."""
    return [[str(transition), distribution, *(number(row and row[quantity], missing) for row in rows)]
            for transition, distribution, rows in aligned(runs)]


def table(runs: dict[str, list[dict]], quantity: str) -> str:
    """Markdown: a line per transition, a column per run."""
    return markdown(["transition", "distribution", *runs], cells(runs, quantity, missing=""), numeric=len(runs))


def curve_table(curves: dict[str, list[float]]) -> str:
    """Markdown of `after_switches`: a line per thousand iterations, a column per run."""
    lines = [[str(place + 1), *(number(curve[place] if place < len(curve) else None, missing="")
                                for curve in curves.values())] for place in range(max(map(len, curves.values())))]
    return markdown(["thousand", *curves], lines, numeric=len(curves))


def chart(runs: dict[str, list[dict]], quantity: str) -> pictures.Chart:
    """A curve per run over the transitions."""
    lines = [pictures.Line(name, *zip(*points(rows, quantity))) for name, rows in runs.items()
             if points(rows, quantity)]
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
