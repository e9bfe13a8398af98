"""MeRGAN and the Lifelong VAE on the same sequence of classes, judged by the same classifier.

    python -m lib.compare --dataset digits
    python -m lib.compare --dataset fashion --scale 0.025 --mergan_options learning_rate=1e-3

Every method is trained by its own command line, below the working directory; the same command goes on where it was
stopped. Then a classifier that has learned the real images looks at samples of each. Figures go to <output>.json and
<output>.md, samples to <output>.png.
"""

import dataclasses
from pathlib import Path

from lib import errors, files, systems
from lib.report.tables import markdown
from lib.reproduce import markers
from lib.reproduce.scripts import call
from lib.reproduce.table import Budget, in_path
from lib.run import place, provenance
from lib.run.flags import Parser
from lib.run.settings import Checked, FilePath, setting

_COMPARED = ("mergan", "lvae")
_CLASSES = 10
_SHOWN = 20  # samples of a method in the picture


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is compared, and where it goes."""

    dataset: str = setting("digits", "What all learn, class after class.", choices=("digits", "fashion"))
    scale: float = setting(1.0, "Share of each system's own iterations.", least=0.0, most=1.0)
    rows: tuple[str, ...] = setting((), "Methods to run, with commas between; none: all.")
    mergan_options: tuple[str, ...] = setting(
        (), "Further flags of MeRGAN's scripts, with commas between, as learning_rate=1e-3, with which a short run "
            "learns more.")
    samples: int = setting(10_000, "Generated images of a method that are judged.", least=2)
    precision: str = setting("auto", "As in the scripts.")
    data_dir: FilePath = setting("dataset", "Where the data sets lie.")
    output: FilePath = setting("", "Where to write; empty: result/compare-<dataset>-<scale>.")
    readme: FilePath = setting("", "File to put the table into, between markers results:compare-<dataset>.")


def contestants(command: Command) -> dict[str, tuple[str, object, Budget]]:
    """{method: (system, its table, its budget)}, in the order of the table.

    Raises:
      UserError: a method that there is not.
    """
    found = {}
    for system in _COMPARED:
        tables = systems.part(system, "tables")
        options = command.mergan_options if system == "mergan" else ()
        budget = Budget(command.scale, command.precision, tables.COMPARED_FLAGS + options)
        found |= {row: (system, tables.COMPARED[command.dataset], budget) for row in tables.COMPARED_ROWS}
    unknown = [row for row in command.rows if row not in found]
    if unknown:
        raise errors.UserError(f"--rows={','.join(command.rows)}: there are {', '.join(found)}")
    return {row: found[row] for row in command.rows or found}


def trained(row: str, table, budget: Budget, data_dir: Path) -> bool:
    """Train a method unless that is done; whether it came to its end."""
    return place.is_finished(table.directory(row, budget)) or call(table.train(row, budget), data_dir)


def result(row: str, system: str, table, budget: Budget, judge, count: int) -> tuple[dict, list]:
    """(the figures of a trained method, some samples of it sorted by class, for a picture)."""
    from lib.compare import judging
    from lib.run import log
    from lib.sample import load

    directory = table.directory(row, budget)
    model = load(directory)
    images, labels, speed = judging.sampled(model, count)
    known, iterations = provenance.of_run(directory), log.read(directory / "log.jsonl")[-1]["step"] + 1
    order = labels.argsort(kind="stable")
    shown = images[order[:: max(1, count // _SHOWN)][:_SHOWN]]
    return {"system": systems.TITLES[system], "budget": f"{iterations} iterations in all",
            "command": f"python {' '.join(table.train(row, budget))}", "directory": str(directory),
            "minutes": round(known["seconds"] / 60, 1) if known else None, "trained_on": known.get("device"),
            "images_per_second": round(speed), "generator_parameters": model.parameters,
            **judge.judged(system, images)._asdict()}, list(shown)


def as_text(results: dict, about: dict) -> str:
    """Markdown: a line for each method."""
    columns = ["", "system", *(f"% taken for {number}" for number in range(_CLASSES)), "effective classes", "FID",
               "images/s", "generator's parameters", "minutes of training", "budget"]
    lines = [[row, found["system"], *(f"{100 * share:.1f}" for share in found["shares"]),
              f"{found['effective_classes']:.2f}", f"{found['fid']:.1f}", str(found["images_per_second"]),
              f"{found['generator_parameters']:,}", str(found["minutes"] or "unknown"), found["budget"]]
             for row, found in results.items()]
    by_system = ", ".join(f"{value:.1%} as {systems.TITLES[system]} learns them"
                          for system, value in about["accuracy_by_system"].items())
    samples = ", ".join(sorted({str(found["samples"]) for found in results.values()}))
    return (f"{markdown(columns, lines)}\n\nOf {samples} samples each after the last class, the share that one "
            f"classifier takes for each class: an even tenth is best, and then there are {_CLASSES} effective classes "
            f"(the exponential of the shares' entropy). The classifier learned the real images in both systems' forms; "
            f"of the real test images it recognises {by_system}. FID is in its features, from the real test images as "
            f"the system learns them. A Lifelong VAE cannot be told a class: its samples are of its prior.")


def judge_of(command: Command, data_dir: Path):
    """The classifier that all are judged by."""
    from lib.classifiers.real_images import RealImages
    from lib.compare import judging

    real = {}
    for system in _COMPARED:
        for split in ("train", "test"):
            images, labels = systems.part(system, "tables").as_learned(command.dataset, split, str(data_dir))
            real[system, split] = RealImages(judging.fitted(images), labels)
    return judging.Shared(command.dataset, real, _CLASSES)


def main(arguments: list[str]) -> None:
    command = Parser(__doc__).add(Command).parse(arguments).of(Command)
    rows, data_dir = contestants(command), Path(command.data_dir).resolve()
    output = Path(command.output or f"result/compare-{command.dataset}-{in_path(f'{command.scale:g}')}")
    if command.readme:
        markers.read(command.readme)  # before hours of training
    stopped = [row for row, (_, table, budget) in rows.items() if not trained(row, table, budget, data_dir)]
    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device, pictures

    print(device.set_up())
    judge = judge_of(command, data_dir)
    about, results, shown = judge.about, {}, {}
    for row, (system, table, budget) in rows.items():
        if row not in stopped:
            results[row], shown[row] = result(row, system, table, budget, judge, command.samples)
    text = as_text(results, about)
    files.make_directory(output.parent)
    files.write_json(Path(f"{output}.json"), {"dataset": command.dataset, "classifier": about, "methods": results})
    files.write_text(Path(f"{output}.md"), f"{text}\n")
    if shown:
        files.write_bytes(Path(f"{output}.png"), pictures.as_png(
            pictures.labelled_grid(list(shown.values()), list(shown)), small=True))
    if command.readme:
        markers.write_between_markers(command.readme, f"compare-{command.dataset}", text)
    print(f"{text}\n\nwritten to {output}.json, .md and .png")
    if stopped:
        raise errors.UserError(f"stopped by their scripts, see above: {', '.join(stopped)}")


if __name__ == "__main__":
    errors.run(main)
