"""Our figures in tables: beside the published ones, over the tasks and class by class."""

from lib.mergan.report import gallery
from lib.mergan.report.runs import Run, classes
from lib.report.tables import NONE, NOT_RUN, NOT_TESTED, Table, number


def comparison(runs: list[Run], figures: dict) -> Table:
    """Our figures beside the published ones: a row for each run, and one for each published method without a run.

    They are those after the numbers of tasks that the paper has, and after the last that a run was tested on.
    `figures`: what `published.json` holds of MeRGAN.
    """
    dataset = runs[0].dataset
    published = gallery.published(figures, dataset)
    ours = {run.name: run.measures for run in runs}
    shown = {tasks for _, tasks in published} | {max(tasks for _, tasks in found) for found in ours.values() if found}
    keys = sorted({*published, *(key for found in ours.values() for key in found if key[1] in shown)})
    columns = ["method", "run", "iterations", "checkpoints"]
    for measure, tasks in keys:
        heading = f"{measure} after {tasks} task{'s' * (tasks > 1)}"
        columns += [f"published: {heading}"] * ((measure, tasks) in published) + [f"ours: {heading}"]
    columns += [] if keys else ["ours"]

    def row(method, name, budget, reached, found, missing):
        cells = [method, name, budget, reached]
        for key in keys:
            cells += [number(published[key].get(method))] if key in published else []
            cells.append(number(found.get(key), missing))
        return cells if keys else [*cells, missing]

    rows = []
    for method in _methods(runs, published):
        of_method = [run for run in runs if run.method == method]
        rows += [row(method, run.name, _tested_budget(run), trained(run), ours[run.name],
                     NONE if run.metrics else NOT_TESTED) for run in of_method]
        if not of_method:
            rows.append(row(method, NOT_RUN, NONE, NONE, {}, NOT_RUN))
    source = f"Published: {figures['source']}." if published else "Nothing is published for this data set."
    return Table(f"{dataset}: our figures beside the published ones. {source}", columns, rows)


def evolution(runs: list[Run]) -> Table | None:
    """Each measure after each number of tasks that was tested: a row for each run, all runs of a measure together."""
    measures, tasks = (sorted({key[i] for run in runs for key in run.measures}) for i in range(2))
    rows = [[measure, run.method, run.name, *(number(run.measures.get((measure, learned))) for learned in tasks)]
            for measure in measures for run in runs if any(name == measure for name, _ in run.measures)]
    return Table(f"{runs[0].dataset}: measures by the number of tasks learned",
                 ["measure", "method", "run", *map(str, tasks)], rows) if rows else None


def _methods(runs: list[Run], published: dict) -> list[str]:
    """Published or run, in the paper's order; combinations of methods come last."""
    found = {method for figures in published.values() for method in figures} | {run.method for run in runs}
    order = list(gallery.METHODS)
    return sorted(found, key=lambda method: (order.index(method) if method in order else len(order), method))


def _tested_budget(run: Run) -> str:
    """Iterations of the checkpoints that were tested, which may be fewer than those trained now."""
    tested = run.metrics["iterations"] if run.metrics else run.settings["iterations"]
    return gallery.budget(run.settings | {"iterations": tested})


def trained(run: Run) -> str:
    """How far a run's checkpoints go: "3 of 10 tasks"."""
    return f"{max(run.gallery.finished(), default=0)} of {len(run.gallery.classes)} tasks"


def circumstances(runs: list[Run]) -> Table | None:
    """What the figures depend on: the classifier that judged, and of each distance the numbers of images."""
    rows = []
    for run in runs:
        found = gallery.circumstances(run.metrics) if run.metrics else []
        rows += [[run.name, *cells] for cells in found]
    return Table("What the figures depend on", ["run", "figure", "measured with"], rows) if rows else None


def per_class(runs: list[Run]) -> Table | None:
    """The accuracy of each class after each tested number of tasks, of the runs that were tested class by class."""
    names, rows = classes(runs), []
    for run in runs:
        found = gallery.class_accuracies(run.metrics) if run.metrics else {}
        rows += [[run.method, run.name, str(tasks), *(number(accuracies.get(name)) for name in names)]
                 for tasks, accuracies in sorted(found.items())]
    columns = ["method", "run", "tasks learned", *names]
    return Table(f"{runs[0].dataset}: accuracy [%] of each class", columns, rows) if rows else None
