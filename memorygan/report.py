"""memoryGAN's part of `python -m lib.report`; a run is its directory below `logs`.

Training's pictures lie in `samples/<exp>/<stamp>` beside `logs`, what generation wrote of the run's checkpoint in
`samples/checkpoint/<exp>/<stamp>`.
"""

from collections.abc import Sequence
from pathlib import Path

from lib import pictures
from lib.data import own
from lib.errors import UserError
from lib.report import sections
from lib.report.options import Options
from lib.report.page import Chapter, Figure, Section
from lib.report.runs import Run, read_json
from lib.report.tables import NONE, NOT_RUN, NOT_TESTED, Table, number
from lib.reproduce.table import published_figures
from memorygan import interpret
from memorygan.config import DATASETS, SCORED, beside, numbered
from memorygan.evaluate import score_by_epoch
from memorygan.memory import effective_share

_PUBLISHED = {"fashion": "fashion-mnist", "affmnist": "affine-mnist", "cifar10": "cifar10"}  # the paper's names
_SHOWN = 6  # epochs of a run whose samples are shown
_EPOCHS = 200  # of a run whose use of the slots is drawn
_GENERATED = "samples/checkpoint"
_MEMORY = {"slots_written": "slots written", "slots_real": "slots of real images",
           "slots_sampled_effectively": "slots sampled, effectively"}
_FIGURES = {"posterior": "A real image, and the slots that answer to it: their probability over what each generates",
            "nearest": "Generated images, each with the real ones nearest to it",
            "interpolation_noise": "Between four noises",
            "interpolation_keys": "Between four slots"}


def group(settings: dict) -> str:
    """The data set."""
    dataset = settings.get("dataset")
    if dataset not in [*DATASETS, own.NAME]:
        raise UserError(f"unknown data set {dataset!r}; known: {', '.join(DATASETS)}")
    return dataset


def chapter(runs: Sequence[Run], options: Options) -> Chapter:
    """All sections of the runs on one data set."""
    dataset = group(runs[0].settings)
    found = [figures(runs, dataset), samples(runs), scores(runs), slots(runs), likelihood(runs), memory(runs),
             sections.curves(runs), sections.settings(runs), sections.provenance(runs)]
    return Chapter(f"memoryGAN on {dataset}", [section for section in found if section])


def method(settings: dict) -> str:
    """The paper's name of what a run trained with: what is taken away of memoryGAN, if anything."""
    if settings.get("model") == "GAN":
        return "-Memory (same networks)" if settings.get("discriminator") == "memory_d" else "-Memory"
    taken = ["-EM"] * (settings.get("memory_update") == "kaiser") + ["-MCGN"] * (settings.get("slot_sampling") is False)
    return " ".join(taken) or "MemoryGAN"


def _written(run: Run, kind: str = "samples") -> Path:
    """Where training writes a run's pictures, and, with the kind `_GENERATED`, generation its own."""
    return beside(run.directory.resolve(), kind)


def _generated(run: Run) -> dict:
    """What generation found of the run's checkpoint, empty if there was none."""
    path = _written(run, _GENERATED) / "metrics.json"
    if not path.exists():
        return {}
    metrics = read_json(path, dict)
    if not all(isinstance(metrics.get(part, {}), dict) for part in ("memory", "by_epoch")):
        raise UserError(f"{path} is not what --is_train=False writes; run it again")
    return metrics


def figures(runs: Sequence[Run], dataset: str) -> Section:
    """Inception scores beside the published ones, and how much of the memory is in use."""
    paper = published_figures("memorygan")
    published = paper["inception_score"].get(_PUBLISHED.get(dataset), {})
    metrics = {run.name: _generated(run) for run in runs}
    rows = []
    for name in dict.fromkeys([*published, *(method(run.settings) for run in runs)]):
        theirs = "{:.2f} +- {:.2f}".format(*published[name]) if name in published else NONE
        of_method = [run for run in runs if method(run.settings) == name]
        rows += [[name, run.name, str(run.settings.get("epoch", NONE)), theirs, *_score(metrics[run.name])]
                 for run in of_method]
        if not of_method:
            rows.append([name, NOT_RUN, NONE, theirs, NOT_RUN, NONE, NONE, NONE, NONE])
    source = f"Published: {paper['source']}." if published else "Nothing is published for this data set."
    scores = Table(f"Inception scores. {source}",
                   ["method", "run", "epochs", "published", "ours", "images", "splits", "judged by",
                    "judge's accuracy"], rows)
    shares = [[name, *(f"{number(_percent(found['memory'].get(share)))} %" for share in _MEMORY)]
              for name, found in metrics.items() if found.get("memory")]
    use = Table("The memory of the last checkpoint that images were generated from", ["run", *_MEMORY.values()], shares)
    return Section("Figures", "Without its parts: -EM writes the memory as Kaiser et al. do, -MCGN generates without a "
                              "slot, -Memory is a plain GAN.", tables=[scores, *([use] if shares else [])])


def _score(metrics: dict) -> list[str]:
    """[score, number of images, splits, classifier, its accuracy]."""
    if not isinstance(metrics.get("inception_score"), (int, float)):
        return [NOT_TESTED, NONE, NONE, NONE, NONE]
    score = f"{number(metrics['inception_score'])} +- {number(metrics.get('deviation'))}"
    accuracy = _percent(metrics.get("classifier_accuracy"))
    return [score, *(str(metrics.get(name, NONE)) for name in ("samples", "splits", "classifier")),
            NONE if accuracy is None else f"{number(accuracy)} %"]


def _percent(share) -> float | None:
    return 100.0 * share if isinstance(share, float) else None


def samples(runs: Sequence[Run]) -> Section:
    def draw(run):
        drawn = numbered(_written(run), "samples_", ".png")
        found = [sections.picture(drawn[epoch], f"{run.name}, epoch {epoch}")
                 for epoch in interpret.spread(drawn, _SHOWN)]
        generated = _written(run, _GENERATED) / "samples_gen_0.png"
        if generated.exists():
            found.append(sections.picture(generated, f"{run.name}, generated from a checkpoint"))
        return found

    return sections.of_runs("Samples over the epochs", "64 images each, stretched to their extremes.", runs, draw,
                            "no sample pictures beside the logs")


def scores(runs: Sequence[Run]) -> Section | None:
    """The score over the epochs, of the runs of which `--every_epoch` measured it."""
    lines = []
    for run, colour in zip(runs, pictures.colours(len(runs))):
        by_epoch = score_by_epoch(_generated(run))
        if by_epoch:
            lines.append(pictures.Line(run.name, [*by_epoch], [*by_epoch.values()], colour))
    if not lines:
        return None
    return Section("Score over the epochs", f"By --is_train=False --every_epoch, of at most {SCORED} images each.",
                   [sections.chart("Inception score", lines, "epoch", "inception score")])


def slots(runs: Sequence[Run]) -> Section | None:
    """How many slots are in use over the epochs, and how evenly."""
    lines, charts = [], []
    for run, colour in zip(runs, pictures.colours(len(runs))):
        priors = interpret.priors_of(run.directory, _EPOCHS)
        if priors:
            used = [100.0 * effective_share(prior) for prior in priors.values()]
            lines.append(pictures.Line(run.name, [*priors], used, colour))
            few = {epoch: priors[epoch] for epoch in [*priors][::-(-len(priors) // _SHOWN)]}
            charts.append(Figure(f"{run.name}: p(c) of the slots, the most probable first",
                                 pictures.line_chart(interpret.prior_chart(few)), "svg+xml"))
    if not lines:
        return None
    use = sections.chart("Slots in use, effectively", lines, "epoch", "slots in use [%]", percent=True)
    return Section("Slots in use", "The perplexity of p(c) as a share of all slots: 100 % if all are as probable; and "
                                   "p(c) itself at some epochs.", [use, *charts])


def likelihood(runs: Sequence[Run]) -> Section | None:
    lines = []
    for run, colour in zip(runs, pictures.colours(len(runs))):
        by_step = dict(sorted(run.values.get("test_log_likelihood", {}).items()))
        if by_step:  # one at the end of each epoch, the first of which is called the second, as in the original
            lines.append(pictures.Line(run.name, range(2, len(by_step) + 2), [*by_step.values()], colour))
    if not lines:
        return None
    return Section("Likelihood", "Mean biased log-likelihood of the test images under the memory's mixture.",
                   [sections.chart("Log-likelihood over the epochs", lines, "epoch", "log-likelihood")])


def memory(runs: Sequence[Run]) -> Section:
    def draw(run):
        directory = _written(run, _GENERATED)
        return [sections.picture(directory / f"{name}.png", f"{run.name}: {caption}")
                for name, caption in _FIGURES.items() if (directory / f"{name}.png").exists()]

    return sections.of_runs("What the memory knows", "Drawn by --is_train=False from a checkpoint.", runs, draw,
                            "nothing was generated from its checkpoint")
