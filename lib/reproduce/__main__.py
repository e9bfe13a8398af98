"""The published tables, run again: one command per table.

    python -m lib.reproduce mergan-mnist --data_dir dataset
    python -m lib.reproduce mergan-mnist --scale 0.25 --rows SFT,RA --precision mixed_bfloat16

Every row is the original command line, trained and tested below the working directory; the same command goes on where
it was stopped. What comes out is kept in `result/<table>.json`, beside it the table as `<table>.md` and a picture of
samples or curves. `--publish` writes the repository's own `results/` and the tables in its README instead.
"""

import dataclasses
import statistics
from pathlib import Path

from lib import errors, files, systems
from lib.reproduce import markers
from lib.reproduce.scripts import ROOT, call
from lib.reproduce.table import Budget, Compared, Table
from lib.run.flags import Parser
from lib.run.settings import Checked, FilePath, setting

_PUBLISHED = ROOT / "results"


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is run, and where it goes."""

    scale: float = setting(1.0, "Share of the published iterations.", least=0.0, most=1.0)
    rows: tuple[str, ...] = setting((), "Rows to run, by the paper's names, with commas between; none: all.")
    tables_only: bool = setting(False, "Run nothing: only write the tables from the results.")
    data_dir: FilePath = setting("dataset", "Where the data sets lie.")
    precision: str = setting("auto", "As in the scripts.")
    options: tuple[str, ...] = setting((), "Further flags of the scripts, as learning_rate=1e-3.")
    seeds: tuple[str, ...] = setting((), "Seeds to run every row with, as 1,2,3: the table shows means and deviations.")
    results: FilePath = setting("result", "Directory of the results: <table>.json, .md and .png.")
    publish: bool = setting(False, "Write to results/ of this checkout, and the tables of its README, instead.")

    @property
    def directory(self) -> Path:
        """Where the results go."""
        return _PUBLISHED if self.publish else Path(self.results)


def tables() -> dict[str, Table]:
    """All systems' tables by name."""
    return {name: table for system in systems.SYSTEMS for name, table in systems.part(system, "tables").TABLES.items()}


def run_row(table: Table, row: str, budget: Budget, data_dir: Path) -> dict | None:
    """Train and test a row; None, with the reason printed by the script itself, if it stopped."""
    if not table.trained(row, budget) and not call(table.train(row, budget), data_dir):
        return None
    test = table.test(row, budget)
    if test and not call(test, data_dir):
        return None
    commands = [f"python {' '.join(command)}" for command in (table.train(row, budget), test) if command]
    return {"commands": commands, **table.read(row, budget)}


def run_seeds(table: Table, row: str, budget: Budget, seeds: tuple[str, ...], data_dir: Path) -> dict | None:
    """The same of one run, or of one for each seed: means, and the runs' standard deviations beside them."""
    if not seeds:
        return run_row(table, row, budget, data_dir)
    results = []
    for seed in seeds:
        results.append(run_row(table, row, budget._replace(options=(*budget.options, f"seed={seed}")), data_dir))
        if results[-1] is None:
            return None
    by_name = {name: [result["figures"][name] for result in results] for name in results[0]["figures"]}
    return {**results[0], "commands": [line for result in results for line in result["commands"]],
            "budget": results[0]["budget"].replace(f"seed={seeds[0]}", f"seeds {', '.join(seeds)}"),
            "figures": {name: round(statistics.mean(values), 2) for name, values in by_name.items()},
            "deviations": {name: round(statistics.stdev(values), 2) for name, values in by_name.items()}}


def _results(path: Path) -> dict:
    """By row."""
    return files.read_json(path, dict) if path.exists() else {}


def run_table(name: str, table: Table, command: Command) -> list[str]:
    """Run the rows that were asked for and write what came out; returns the rows whose scripts stopped."""
    budget = Budget(command.scale, command.precision, command.options)
    path = command.directory / f"{name}.json"
    files.make_directory(path.parent)
    ran, stopped = False, []
    for row in [] if command.tables_only else command.rows or table.rows:
        result = run_seeds(table, row, budget, command.seeds, Path(command.data_dir).resolve())
        if result is None:
            stopped.append(f"{name}: {row}")
            continue
        ran = True
        files.write_json(path, _results(path) | {row: result})  # read anew: other rows may run beside this one
    results = _results(path)
    try:
        text = table.text(results, files.read_json(Path(__file__).parent / "published.json"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.UserError(f"{path} is not what this program writes; move it away") from error
    if ran:
        table.draw(path.with_suffix(".png"), results)
    if command.publish:
        markers.write_between_markers(_PUBLISHED / "README.md", name, text)
    else:
        files.write_text(path.with_suffix(".md"), f"{text}\n")
        print(f"{name}: {path.with_suffix('.md')}")
    return stopped


def main(arguments: list[str]) -> None:
    asked = Parser(__doc__, paths="TABLE").add(Command).parse(arguments)
    command, names, known = asked.of(Command), asked.paths, tables()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise errors.UserError(f"no table {', '.join(unknown) or 'given'}; there are {', '.join(known)}")
    for name in names:
        wrong = [row for row in command.rows if row not in known[name].rows]
        if wrong:
            raise errors.UserError(f"--rows={','.join(wrong)}: {name} has {', '.join(known[name].rows)}")
        if command.seeds and not isinstance(known[name], Compared):
            raise errors.UserError(f"--seeds={','.join(command.seeds)}: {name} holds curves; run it for each seed with "
                                   "--options seed=N and another --results")
    if len(command.seeds) == 1 or not all(seed.isdecimal() for seed in command.seeds):
        raise errors.UserError(f"--seeds={','.join(command.seeds)}: has to be two or more whole numbers, as 1,2,3")
    if command.publish and not (_PUBLISHED / "README.md").exists():
        raise errors.UserError(f"--publish: {_PUBLISHED} has no README.md, so this is no checkout of the repository; "
                               "leave it out, and the results go to --results")
    stopped = [row for name in names for row in run_table(name, known[name], command)]
    if stopped:
        raise errors.UserError(f"stopped by their scripts, see above: {'; '.join(stopped)}")


if __name__ == "__main__":
    errors.run(main)
