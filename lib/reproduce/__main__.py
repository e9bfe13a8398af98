"""The published tables, run again: one command per table.

    python -m lib.reproduce mergan-mnist --data_dir dataset
    python -m lib.reproduce mergan-mnist --scale 0.25 --rows SFT,RA --precision mixed_bfloat16

Every row is the original command line, trained and tested below the working directory; the same command goes on where
it was stopped. What comes out is kept in `results/<table>.json`, from which the README's table is made, with a picture
of samples or curves beside it.
"""

import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from absl import flags

from lib import errors, files
from lib.reproduce.table import Budget, Table

FLAGS = flags.FLAGS

_ROOT = Path(__file__).resolve().parents[2]
_TABLES = ("lib.mergan.tables", "memorygan.tables", "lvae.tables")


def define_flags() -> None:
    flags.DEFINE_float("scale", 1.0, "Share of the published iterations.", lower_bound=0.0, upper_bound=1.0)
    flags.DEFINE_list("rows", [], "Rows to run, by the paper's names; none: all.")
    flags.DEFINE_bool("tables_only", False, "Run nothing: only write the README's tables from the results.")
    flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie.")
    flags.DEFINE_string("precision", "auto", "As in the scripts.")
    flags.DEFINE_list("options", [], "Further flags of the scripts, as learning_rate=1e-3.")
    flags.DEFINE_string("results", str(_ROOT / "results"), "Directory of the results, one JSON file per table.")
    flags.DEFINE_string("readme", str(_ROOT / "README.md"), "File whose tables are written anew; empty: none.")


def tables() -> dict[str, Table]:
    """All systems' tables by name."""
    return {name: table for module in _TABLES for name, table in importlib.import_module(module).TABLES.items()}


def call(arguments: list[str], data_dir: Path) -> bool:
    """Run a script; whether it came to its end. A signal stops it, once it has saved, and then this program."""
    print(f"\n$ python {' '.join(arguments)}", flush=True)
    line = [sys.executable, str(_ROOT / arguments[0]), *arguments[1:], f"--data_dir={data_dir}"]
    with subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(_ROOT)}) as process:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, frame: process.send_signal(received))
        code = process.wait()
    if code < 0 or code > 128:
        raise errors.Interrupted(abs(code) % 128)
    return code == 0


def run_row(table: Table, row: str, budget: Budget, data_dir: Path) -> dict | None:
    """Train and test a row; None, with the reason printed by the script itself, if it stopped."""
    if not table.trained(row, budget) and not call(table.train(row, budget), data_dir):
        return None
    test = table.test(row, budget)
    if test and not call(test, data_dir):
        return None
    commands = [f"python {' '.join(command)}" for command in (table.train(row, budget), test) if command]
    return {"commands": commands, **table.read(row, budget)}


def write_between_markers(path: Path, name: str, text: str) -> None:
    """Put text between `<!-- results:name -->` and `<!-- /results:name -->` of a file, if it has them."""
    old = Path(path).read_text(encoding="utf-8")
    new = re.sub(rf"(<!-- results:{name} -->\n).*?(<!-- /results:{name} -->)", lambda m: f"{m[1]}{text}\n{m[2]}", old,
                 flags=re.DOTALL)
    if new != old:
        files.write_text(path, new)


def main(names: list[str]) -> None:
    known = tables()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise errors.UserError(f"no table {', '.join(unknown) or 'given'}; there are {', '.join(known)}")
    figures = files.read_json(Path(__file__).parent / "published.json")
    budget, data_dir = Budget(FLAGS.scale, FLAGS.precision, tuple(FLAGS.options)), Path(FLAGS.data_dir).resolve()
    stopped = []
    for name in names:
        table, path = known[name], Path(FLAGS.results) / f"{name}.json"
        wrong = [row for row in FLAGS.rows if row not in table.rows]
        if wrong:
            raise errors.UserError(f"--rows={','.join(wrong)}: {name} has {', '.join(table.rows)}")
        results, ran = files.read_json(path) if path.exists() else {}, []
        for row in [] if FLAGS.tables_only else FLAGS.rows or table.rows:
            result = run_row(table, row, budget, data_dir)
            if result is None:
                stopped.append(f"{name}: {row}")
                continue
            results[row] = result
            ran.append(row)
            files.make_directory(path.parent)
            files.write_json(path, results)
        if ran:
            table.draw(path.with_suffix(".png"), results)
        if FLAGS.readme:
            write_between_markers(FLAGS.readme, name, table.text(results, figures))
    if stopped:
        raise errors.UserError(f"stopped by their scripts, see above: {'; '.join(stopped)}")


if __name__ == "__main__":
    define_flags()
    errors.run(main, takes_paths=True)
