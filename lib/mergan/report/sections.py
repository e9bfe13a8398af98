"""What the page shows of runs of MeRGAN on one data set, and what is to be seen in it."""

from collections.abc import Sequence

import numpy as np

from lib import pictures
from lib.classifiers import features, pretrained, real_images
from lib.data import own
from lib.errors import UserError
from lib.mergan.config import DATASETS, Config
from lib.mergan.data import data_set
from lib.mergan.report import animation, gallery, tables, tsne
from lib.mergan.report.runs import Run, classes, of
from lib.report import runs as stored_runs
from lib.report import sections
from lib.report.options import Options
from lib.report.page import Chapter, Figure, Section
from lib.reproduce.table import published_figures
from lib.run.settings import of_stored

_LATENTS = 10  # columns of a grid of classes by latent vectors
_TILE = 64  # pixels that a tile may take on the page
_REAL = "#b5b5b5"
_MEASURED = ("Measures after each number of tasks that was tested; --test --every_task tests after each, and then also "
             "says what was lost: forgetting, the mean fall of the old classes' accuracy from the best that each ever "
             "was (Chaudhry et al. 2018), and backward transfer, its mean change since each was learned (Lopez-Paz & "
             "Ranzato 2017).")


def group(settings: dict) -> str:
    """The data set; of one's own images also which."""
    dataset = settings.get("dataset")
    if dataset not in [*DATASETS, own.NAME]:
        raise UserError(f"unknown data set {dataset!r}; known: {', '.join(DATASETS)}")
    return f"{dataset}: {', '.join(settings.get('classes', []))}" if dataset == own.NAME else dataset


def chapter(stored: Sequence[stored_runs.Run], options: Options) -> Chapter:
    """All sections of the runs on one data set."""
    runs = [of(run) for run in stored]
    count = len(classes(runs))
    if options.label >= count:
        raise UserError(f"--label {options.label}: of {runs[0].dataset} the classes 0 to {count - 1} are learned")
    found = [figures_beside_published(runs), evolution(runs), last_task(runs), each_task(runs), animations(runs),
             first_iterations(runs, options.label), *tsne_sections(runs, options), sections.curves(stored, tasks_begin),
             sections.settings(stored), sections.provenance(stored)]
    return Chapter(f"MeRGAN on {runs[0].dataset}", [each for each in found if each])


def tasks_begin(run: stored_runs.Run) -> list[int]:
    """First iterations of all tasks but the first; joint training has one task."""
    config = of_stored(Config, run.settings)
    return [config.iterations * task for task in range(1, config.tasks)]


def figures_beside_published(runs: list[Run]) -> Section:
    methods = ", ".join(f"{short}: {meaning}" for short, meaning in gallery.METHODS.items())
    found = [tables.comparison(runs, published_figures(gallery.PUBLISHED)), tables.per_class(runs),
             tables.circumstances(runs)]
    return Section("Figures", f"Accuracy is the share of generated images that a classifier trained on real images "
                              f"recognises as the class they were asked to be. {methods}.",
                   tables=[table for table in found if table])


def evolution(runs: list[Run]) -> Section | None:
    """Each measure over the number of learned tasks."""
    table = tables.evolution(runs)
    if not table:
        return None
    lines = {}
    for run, colour in zip(runs, pictures.colours(len(runs))):
        by_measure = {}
        for (measure, tasks), value in sorted(run.measures.items()):
            by_measure.setdefault(measure, []).append((tasks, value))
        for measure, points in by_measure.items():
            lines.setdefault(measure, []).append(pictures.Line(run.name, *zip(*points), colour))
    return Section("Over the tasks", _MEASURED,
                   [sections.chart(f"{measure} over the number of learned tasks", of_measure, "tasks learned", measure,
                                   percent=measure.endswith("accuracy [%]"))
                    for measure, of_measure in sorted(lines.items())]
                   + [figure for run in runs for figure in _accuracies(run)], [table])


def _accuracies(run: Run) -> list[Figure]:
    """A heat map of the accuracy of each class after each task, of a run that was tested after several."""
    found = gallery.class_accuracies(run.metrics) if run.metrics else {}
    if len(found) < 2:
        return []
    names = run.gallery.classes
    matrix = [[found[tasks].get(name, np.nan) for name in names] for tasks in sorted(found)]
    picture = pictures.heat_map(np.array(matrix, float), list(map(str, sorted(found))), names, "class", "tasks learned")
    return [Figure(f"{run.title}: accuracy [%] of each class after each number of tasks", picture, "svg+xml")]


def last_task(runs: list[Run]) -> Section:
    def draw(run):
        learned = max(run.gallery.finished(), default=0)
        if not learned:
            return []
        rows = run.gallery.classes_by_latents(learned, _LATENTS)
        picture = pictures.labelled_grid(rows, run.gallery.classes[:learned], side=_TILE // 2)
        return [Figure(f"{run.title}, after {tables.trained(run)}", pictures.as_png(picture, small=True), "png")]

    columns = "a latent vector, the same in every run" if all(run.gallery.conditional for run in runs) else \
        "a latent vector, the same in every run that is told the class; the images of the others are sorted by their "\
        "own classifier"
    return sections.of_runs("After the last task", f"Rows are the classes that were asked for, a column is {columns}.",
                            runs, draw, "no task is finished")


def each_task(runs: list[Run]) -> Section:
    def draw(run):
        finished = run.gallery.finished()
        if len(finished) < 2 or not run.gallery.conditional:
            return []
        names = run.gallery.classes[:finished[-1]]
        columns = [[row[0] for row in run.gallery.classes_by_latents(learned, 1)] for learned in finished]
        rows = [[column[label] if label < len(column) else None for column in columns]
                for label in range(len(names))]
        picture = pictures.labelled_grid(rows, names, [f"after {learned}" for learned in finished], side=_TILE)
        return [Figure(run.title, pictures.as_png(picture, small=True), "png")]

    text = ("A row is one class with one latent vector, a column the generator after so many tasks. A method that "
            "remembers instances keeps a row's image, one that remembers categories keeps its class.")
    return sections.of_runs("Each class after each task", text, runs, draw,
                            "fewer than two tasks, or a generator that is not told the class")


def animations(runs: list[Run]) -> Section:
    def draw(run):
        gif = animation.learning([run])
        return [Figure(run.title, gif, "gif")] if gif else []

    text = ("The pictures that training drew, one frame after the other; a column is a latent vector. Each class is "
            "stretched to its own extremes.")
    return sections.of_runs("Learning", text, runs, draw, "no sample pictures")


def first_iterations(runs: list[Run], label: int) -> Section:
    """Interference: what happens to an old class when a new task begins."""
    name = classes(runs)[label]

    def shown(run, iteration):
        return iteration & (iteration - 1) == 0 or iteration == run.settings["iterations"] - 1

    def draw(run):
        samples = [sample for sample in run.gallery.samples()
                   if sample.learned > label + 1 and shown(run, sample.iteration)]
        if not samples or not run.gallery.conditional or run.settings.get("joint"):
            return []
        iterations = sorted({sample.iteration for sample in samples})
        tasks = sorted({sample.learned for sample in samples})
        by_sample = {sample[:]: run.gallery.sample_rows(sample, 1, [label])[0][0] for sample in samples}
        rows = [[by_sample.get((task, iteration)) for iteration in iterations] for task in tasks]
        picture = pictures.labelled_grid(rows, [f"learning {run.gallery.classes[task - 1]}" for task in tasks],
                                         list(map(str, iterations)), side=_TILE)
        return [Figure(run.title, pictures.as_png(picture, small=True), "png")]

    text = (f"Class {name} with one latent vector while a later task is being learned, a row each. Columns are "
            "iterations: the first ones, then the task's last. In iteration 0 the generator is still that of the task "
            "before. Each picture is stretched to its own extremes.")
    return sections.of_runs(f"First iterations of a new task: class {name}", text, runs, draw,
                            "no later task has begun, or a generator that is not told the class")


def tsne_sections(runs: list[Run], options: Options) -> list[Section]:
    """Real and generated images of one class in the classifier's feature space: run beside run, and over the tasks."""
    images = {run.name: _images(run, options) for run in runs} if options.tsne_samples else {}
    shown = [run for run in runs if images.get(run.name)]
    if not shown:
        return []
    name = classes(runs)[options.label]
    title = f"t-SNE of class {name}"
    try:
        extractor, real = _real_features(runs[0], options)
    except UserError as error:
        return [Section(title, f"Not drawn: {error}.")]
    generated = {run.name: {learned: extractor.extract(batch) for learned, batch in images[run.name].items()}
                 for run in shown}
    text = (f"Real test images and generated ones of class {name}, at most {options.tsne_samples} each, in the space "
            f"of the {extractor.name}.")
    over_tasks = [_tsne_of_tasks(real, run, generated[run.name]) for run in shown if len(generated[run.name]) > 1]
    found = [Section(title, f"{text} After the last finished task; all panels are parts of one embedding.",
                     _tsne_of_runs(real, shown, generated, runs))]
    if over_tasks:
        found.append(Section(f"{title} over the tasks", f"{text} A colour for each task after which they were "
                                                        "generated; one embedding per run.", over_tasks))
    return found


def _images(run: Run, options: Options) -> dict[int, np.ndarray]:
    """Generated images of the class after each finished task that had learned it, unless there are none."""
    images = {learned: run.gallery.images(learned, options.label, options.tsne_samples)
              for learned in run.gallery.finished() if learned > options.label}
    return {learned: batch for learned, batch in images.items() if len(batch)}


def _real_features(run: Run, options: Options):
    """The classifier's features, and those of real test images."""
    dataset = data_set(run.gallery.config, options.data_dir)
    classifier = pretrained.evaluation_classifier(dataset, options.data_dir)
    extractor = features.classifier_features(classifier, run.dataset)
    real = real_images.load(dataset, "test", options.data_dir)
    number = run.gallery.config.data.classifier_classes[options.label]
    chosen = np.flatnonzero(real.labels == number)[:options.tsne_samples]
    return extractor, extractor.extract(real.images[chosen])


def _tsne_of_runs(real: np.ndarray, shown: list[Run], generated: dict, runs: list[Run]) -> list[Figure]:
    last = {run.name: max(generated[run.name]) for run in shown}
    clouds = tsne.embed([real, *(generated[name][learned] for name, learned in last.items())])
    shades = dict(zip((run.name for run in runs), pictures.colours(len(runs))))
    return [Figure(f"{run.title}, after {last[run.name]} task{'s' * (last[run.name] != 1)}", pictures.scatter(
        [pictures.Points("real", clouds[0], _REAL), pictures.Points(run.name, cloud, shades[run.name])],
        np.concatenate(clouds)), "svg+xml") for run, cloud in zip(shown, clouds[1:])]


def _tsne_of_tasks(real: np.ndarray, run: Run, by_task: dict) -> Figure:
    clouds = tsne.embed([real, *by_task.values()])
    points = [pictures.Points(f"after {learned}", cloud, shade) for learned, cloud, shade
              in zip(by_task, clouds[1:], pictures.colours(len(by_task), ordered=True))]
    return Figure(run.title, pictures.scatter([pictures.Points("real", clouds[0], _REAL), *points],
                                              np.concatenate(clouds)), "svg+xml")
