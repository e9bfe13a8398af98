"""The Lifelong VAE's part of `python -m lib.report`; a run is its `experiment_<n>`."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lib import pictures
from lib.classifiers.pretrained import told
from lib.errors import UserError
from lib.report import sections
from lib.report.options import Options
from lib.report.page import Chapter, Figure, Section
from lib.report.runs import Run, read_json
from lib.report.tables import NONE, Table, number
from lvae import distributions
from lvae.comparison import QUANTITIES, cells, points, title, transitions, visited
from lvae.config import EXPERIMENTS
from lvae.frechet import circumstances

_TILE = 56  # pixels that an image may take on the page
_MODELS = 10  # of a run whose pictures are shown
_LONGEST = 10_000_000  # iterations of a run whose phases are marked
_SAMPLE = re.compile(r"vae_(\d+)_consistency_discrete_index(\d+)_num(\d+)\.png")
_MODEL = re.compile(r"vae(\d+)_")


def group(settings: dict) -> str:
    """The experiment."""
    experiment = settings.get("experiment")
    if experiment not in list(EXPERIMENTS):
        raise UserError(f"unknown experiment {experiment!r}; known: {', '.join(EXPERIMENTS)}")
    return experiment


def chapter(runs: Sequence[Run], options: Options) -> Chapter:
    """All sections of the runs of one experiment."""
    results = {run.name: _results(run.directory / "results.json") for run in runs}
    found = [figures(runs, results), over_transitions(runs, results), reconstructions(runs), samples(runs),
             clusters(runs), sections.curves(runs, phases_begin), sections.settings(runs), sections.provenance(runs)]
    return Chapter(f"Lifelong VAE: {group(runs[0].settings)}", [section for section in found if section])


def method(settings: dict) -> str:
    return str(settings.get("method", NONE)) if settings.get("sequential") else "all at once"


def _results(path: Path) -> list[dict]:
    """One dictionary of figures per finished distribution; none without a file."""
    if not path.exists():
        return []
    try:
        rows = transitions(read_json(path, list), visited(path.parent))
        for row in rows:
            row["frechet_depends_on"] = row["frechet_depends_on"] and _depends_on(row["frechet_depends_on"])
        return rows
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, OverflowError) as error:
        raise UserError(f"{path} is not what training writes; move it away to leave it out") from error


def phases_begin(run: Run) -> list[int]:
    """First iterations of all distributions but the first, as the settings fix them."""
    names = ("seed", "batch_size", "min_interval", "max_dist_swaps")
    fixed = {name: run.settings.get(name) for name in names}
    if not run.settings.get("sequential") or not all(type(value) is int and value >= 0 for value in fixed.values()) \
            or not 0 < (fixed["min_interval"] + 13 * fixed["batch_size"]) * fixed["max_dist_swaps"] < _LONGEST:
        return []
    lengths = [visit.iterations for visit in distributions.schedule(SimpleNamespace(**fixed), 1)]
    return np.cumsum(lengths[:-1]).tolist()


def figures(runs: Sequence[Run], results: dict[str, list[dict]]) -> Section:
    """What the last model of each run is worth."""
    measured = [name for name in QUANTITIES if any(rows and rows[-1].get(name) is not None
                                                   for rows in results.values())]
    rows = []
    for run in runs:
        last = results[run.name][-1] if results[run.name] else {}
        rows.append([run.name, method(run.settings), str(len(results[run.name])),
                     *(number(last.get(name)) for name in measured)])
    table = Table("After the last distribution that was finished",
                  ["run", "method", "distributions", *map(title, measured)], rows)
    return Section("Figures", "Nothing was published as numbers. Frechet distances are comparable within an experiment "
                              "only.", tables=[table, *_circumstances(results)])


def _depends_on(numbers: dict) -> tuple[str, str]:
    return circumstances(numbers), told(numbers["classifier"])


def _circumstances(results: dict[str, list[dict]]) -> list[Table]:
    """What the last distances depend on; older runs did not note it."""
    rows = [[name, *rows[-1]["frechet_depends_on"]] for name, rows in results.items()
            if rows and rows[-1]["frechet_depends_on"]]
    return [Table("What the Frechet distances depend on", ["run", "measured with", "classifier"], rows)] * bool(rows)


def over_transitions(runs: Sequence[Run], results: dict[str, list[dict]]) -> Section | None:
    """Each measure after each distribution: a picture, and a table of the same figures."""
    drawn, tables = [], []
    for name in QUANTITIES:
        lines = []
        for run, colour in zip(runs, pictures.colours(len(runs))):
            found = points(results[run.name], name)
            if found:
                lines.append(pictures.Line(run.name, *zip(*found), colour))
        if lines:
            drawn.append(sections.chart(title(name), lines, "distributions learned", name))
            tables.append(Table(title(name), ["transition", "distribution", *results], cells(results, name, NONE)))
    if not drawn:
        return None
    return Section("Over the transitions", "After each distribution.", drawn, tables)


def _of_models(run: Run, pattern: str) -> list[Figure]:
    """The pictures that training drew at the end of distributions, at most ten and with them the last."""
    found = {(int(match[1]), path.name): path for path in (run.directory / "imgs").glob(pattern)
             if (match := _MODEL.search(path.name))}
    return [sections.picture(found[number, name], f"{run.name}, model {number}")
            for number, name in sorted(found)[-_MODELS:]]


def reconstructions(runs: Sequence[Run]) -> Section:
    return sections.of_runs("Reconstructions", "Test images above, the model's reconstructions below; a picture at the "
                                               "end of each distribution.", runs,
                            lambda run: _of_models(run, "*_reconstr_*.png"), "no distribution is finished")


def samples(runs: Sequence[Run]) -> Section:
    def draw(run):
        found = {tuple(map(int, match.groups())): path for path in (run.directory / "imgs").glob("vae_*.png")
                 if (match := _SAMPLE.fullmatch(path.name))}
        if not found:
            return []
        model = max(found)[0]
        tiles = {key[1:]: sections.pixels(path) for key, path in found.items() if key[0] == model}
        labels, numbers = (sorted({key[axis] for key in tiles}) for axis in range(2))
        rows = [[tiles.get((label, number)) for number in numbers] for label in labels]
        picture = pictures.labelled_grid(rows, [f"class {label}" for label in labels], side=_TILE)
        return [Figure(f"{run.name}, model {model}", pictures.as_png(picture, small=True), "png")]

    return sections.of_runs("Samples per class", "A row is one value of the discrete latent variable, by the run's "
                                                 "last model.", runs, draw, "no distribution is finished")


def clusters(runs: Sequence[Run]) -> Section:
    return sections.of_runs("Clusters", "Posterior means of test images, coloured by class.", runs,
                            lambda run: _of_models(run, "*2d_cluster_*.png"),
                            "only two continuous latent dimensions are drawn")
