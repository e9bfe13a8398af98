"""Runs side by side: a table and curves over the transitions, for all methods."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from lib import files, pictures, systems
from lib.errors import UserError

QUANTITIES = {"elbo": "negative test ELBO, all distributions",
              "seen_elbo": "negative test ELBO, distributions seen so far",
              "frechet_distance": "Frechet distance of samples (classifier features), distributions seen so far",
              "frechet_reconstructions": "Frechet distance of reconstructions (classifier features), distributions "
                                         "seen so far",
              "consistency_accuracy": "consistency of student and teacher"}

_READ = ("seen_elbo", "frechet_distance", "frechet_reconstructions", "samples_by_distribution", "consistency_accuracy")


def read(directory: Path) -> tuple[str, list[dict]]:
    """(name of the method, one dictionary of figures per transition) of a run's directory."""
    settings = files.read_json(Path(directory) / "settings.json")
    if systems.system_of(settings) != "lvae":
        raise UserError(f"{directory} holds no run of the Lifelong VAE")
    results = files.read_json(Path(directory) / "results.json")
    rows = [{"distribution": result["distribution"],
             **{name: result.get(name) for name in _READ},
             # Two test sets count alike.
             "elbo": sum(means["elbo"] for means in result["tests"].values()) / len(result["tests"])}
            for result in results]
    return (settings["method"] if settings["sequential"] else "all at once"), rows


def title(quantity: str) -> str:
    """What stands above a quantity's table and curves."""
    return QUANTITIES[quantity][0].upper() + QUANTITIES[quantity][1:]


def table(runs: dict[str, list[dict]], quantity: str) -> str:
    """Markdown: a line per transition, a column per run."""
    longest = max(runs.values(), key=len)
    lines = [f"| transition | distribution | {' | '.join(runs)} |", "|---|---|" + "---:|" * len(runs)]
    for number, row in enumerate(longest):
        values = [rows[number][quantity] if number < len(rows) else None for rows in runs.values()]
        shown = ["" if value is None else f"{value:.2f}" for value in values]
        lines.append(f"| {number + 1} | {row['distribution']} | {' | '.join(shown)} |")
    return "\n".join(lines)


def draw(path: Path, runs: dict[str, list[dict]], quantities: Sequence[str]) -> None:
    """A panel per quantity with one curve per run."""
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(4.5 * len(quantities), 4), layout="constrained")
        for axes, quantity in zip(figure.subplots(1, len(quantities), squeeze=False)[0], quantities):
            for name, rows in runs.items():
                points = [(number + 1, row[quantity]) for number, row in enumerate(rows) if row[quantity] is not None]
                if points:
                    axes.plot(*zip(*points), marker="o", markersize=3, label=name)
            # Several short lines: titles side by side would run together.
            axes.set(xlabel="transition", title=title(quantity).replace(" (", "\n(").replace(", ", ",\n"))
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        pictures.save_figure(path, figure)


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
