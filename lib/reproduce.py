"""The published tables, run again: one command per table.

    python -m lib.reproduce mergan-mnist --data_dir dataset
    python -m lib.reproduce mergan-mnist --scale 0.25 --rows SFT,RA --precision mixed_bfloat16

Every row is the original command line, trained and tested below the working directory; the same command goes on where
it was stopped. What comes out is kept in `results/<table>.json`, from which the README's table is made, with a picture
of samples beside it.
"""

import abc
import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from lib import errors, files

FLAGS = flags.FLAGS

_ROOT = Path(__file__).resolve().parent.parent
_TILES = 3  # samples of each class in a picture


def define_flags() -> None:
    flags.DEFINE_float("scale", 1.0, "Share of the published iterations.", lower_bound=0.0, upper_bound=1.0)
    flags.DEFINE_list("rows", [], "Rows to run, by the paper's names; none: all.")
    flags.DEFINE_bool("tables_only", False, "Run nothing: only write the README's tables from the results.")
    flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie.")
    flags.DEFINE_string("precision", "auto", "As in the scripts.")
    flags.DEFINE_string("results", str(_ROOT / "results"), "Directory of the results, one JSON file per table.")
    flags.DEFINE_string("readme", str(_ROOT / "README.md"), "File whose tables are written anew.")


class Budget(NamedTuple):
    """How much of the published training a row gets."""

    scale: float
    precision: str

    def of(self, whole: int) -> int:
        return max(2, round(self.scale * (whole - 1)) + 1)


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _beside(ours: float | None, theirs: float | None) -> str:
    difference = "" if ours is None or theirs is None else f" ({ours - theirs:+.2f})"
    return "" if ours is None else f"{ours:.2f}{difference}"


def _in_path(row: str) -> str:
    """A row's name as a part of a path."""
    return re.sub(r"\W+", "-", row).strip("-")


class Table(abc.ABC):
    """A published table: rows by method, and how each is run and read."""

    rows: dict[str, list[str]]  # method -> script and the flags that make it
    needs: str  # what a machine lacks that cannot run it

    @abc.abstractmethod
    def train(self, row: str, budget: Budget) -> list[str]:
        """The training command: script and flags."""

    def trained(self, row: str, budget: Budget) -> bool:
        """Whether the training is complete, where its command would begin another one."""
        return False

    def test(self, row: str, budget: Budget) -> list[str] | None:
        """The test command of what was trained; None if the training measures what the table shows."""
        return None

    @abc.abstractmethod
    def read(self, row: str, budget: Budget) -> dict:
        """What came out: {"budget": text, ...}, JSON-able."""

    def draw(self, path: Path, results: dict, ran: list[str], budget: Budget) -> None:
        """Write a PNG of all results, or of the rows that just ran, if the table has a picture."""

    @abc.abstractmethod
    def text(self, results: dict, figures: dict) -> str:
        """Markdown of the results beside the published figures (`lib/published.json`)."""


class Compared(Table):
    """A table of single figures. `read` gives {"budget": text, "figures": {measure: value}}."""

    @abc.abstractmethod
    def published(self, figures: dict) -> dict[str, dict[str, float]]:
        """{measure: {method: value}} from `lib/published.json`."""

    def text(self, results, figures):
        """A line per row with the published figures, ours with the difference, and our budget."""
        published = self.published(figures)
        columns = ["", *(f"{measure}: {whose}" for measure in published for whose in ("published", "ours")),
                   "our budget"]
        lines = [columns, ["---"] * len(columns)]
        for row in self.rows:
            ours = results.get(row)
            cells = [row]
            for measure, by_method in published.items():
                value = ours["figures"].get(measure) if ours else None
                theirs = by_method.get(row)
                cells += ["" if theirs is None else f"{theirs:.2f}", _beside(value, theirs)]
            lines.append([*cells, ours["budget"] if ours else f"not run here: needs {self.needs}"])
        return _markdown(lines)


class MeRGAN(Compared):
    """Tables 1 (mnist, svhn) and 2 (lsun) of the paper."""

    def __init__(self, dataset: str, factor: str, iterations: int, joint_iterations: int, needs: str):
        self._dataset, self._whole, self._joint_whole, self.needs = dataset, iterations, joint_iterations, needs
        self.rows = {"JT": ["joint.py"], "SFT": ["mergan.py"], "EWC": ["mergan.py", "--EWC"],
                     "DGR": ["mergan.py", "--DGR"], "JTR": ["mergan.py", "--JTR"],
                     "RA": ["mergan.py", "--RA", f"--RA_factor={factor}"]}
        if dataset == "lsun":
            del self.rows["JT"]  # the paper's table has none

    def _name(self, row: str, budget: Budget) -> str:
        return f"{self._dataset}_{row}_{self._iterations(row, budget)}_{budget.precision}"

    def _iterations(self, row: str, budget: Budget) -> int:
        return budget.of(self._joint_whole if row == "JT" else self._whole)

    def _run(self, row: str, budget: Budget) -> list[str]:
        return [*self.rows[row], f"--dataset={self._dataset}", f"--iters={self._iterations(row, budget)}",
                f"--precision={budget.precision}"]

    def train(self, row, budget):
        return [*self._run(row, budget), f"--result_path={self._name(row, budget)}"]

    def test(self, row, budget):
        measures = ["--metrics=accuracy,reverse_accuracy,fid"] if self._dataset == "lsun" else []
        return [*self._run(row, budget), *measures, "--test", f"--result_path=result/{self._name(row, budget)}"]

    def read(self, row, budget):
        run = self._trained(row, budget)
        in_all = "in all" if row == "JT" else "per task"
        return {"budget": f"{self._iterations(row, budget)} iterations {in_all}, {run.settings['precision']}",
                "figures": {name: round(value, 2) for name, value in self._named(run.measures).items()}}

    def _trained(self, row: str, budget: Budget):
        from lib.report import runs  # TensorFlow, which other tables do without

        return runs.read(Path("result") / self._name(row, budget), row)

    @staticmethod
    def _named(figures: dict) -> dict:
        """{(measure, tasks): value} of the report, by one name."""
        return {f"{measure}, {tasks} tasks": value for (measure, tasks), value in figures.items()}

    def draw(self, path, results, ran, budget):
        """A line of samples per method, in the order of the classes, of the same latent vectors."""
        from lib.report import pictures

        galleries = [self._trained(row, budget).gallery for row in ran]
        lines = [[tile for by_class in gallery.classes_by_latents(max(gallery.finished()), _TILES) for tile in by_class]
                 for gallery in galleries]
        files.write_bytes(path, pictures.as_png(pictures.labelled_grid(lines, ran)))

    def published(self, figures):
        from lib.report import runs

        gallery = importlib.import_module(runs.GALLERIES["MeRGAN"])
        return self._named(gallery.published(figures[gallery.PUBLISHED], self._dataset))


class MemoryGAN(Compared):
    """Table 2 of the paper: inception scores with and without the parts of the memory."""

    needs = "hours on a CPU"
    _TILES = 24  # samples in a line of the picture
    _SHARES = {"slots_written": "ever written", "slots_real": "that stand for real images",
               "slots_sampled_effectively": "drawn for samples, effectively"}
    rows = {"MemoryGAN": [], "-EM": ["--memory_update=kaiser"], "-MCGN": ["--slot_sampling=False"],
            "-Memory": ["--model=GAN"],
            # Not in the paper. Its plain GAN has a critic of its own, many times as large and as slow.
            "-Memory (same networks)": ["--model=GAN", "--discriminator=memory_d"]}

    def __init__(self, dataset: str, published_name: str, samples: int):
        self._dataset, self._published, self._samples = dataset, published_name, samples

    def _exp(self, row: str, budget: Budget) -> str:
        ablation = f"-{_in_path(row)}" if row.startswith("-") else ""
        return f"{self._dataset}{ablation}_{self._epochs(budget)}_{budget.precision}"

    @staticmethod
    def _epochs(budget: Budget) -> int:
        return max(1, round(1500 * budget.scale))

    def _run(self, row: str, budget: Budget) -> list[str]:
        return ["memorygan/run.py", f"--dataset={self._dataset}", *self.rows[row], f"--epoch={self._epochs(budget)}",
                f"--precision={budget.precision}", f"--exp={self._exp(row, budget)}"]

    def train(self, row, budget):
        return [*self._run(row, budget), f"--save_every={self._epochs(budget)}"]

    def _run_directory(self, row: str, budget: Budget) -> Path:
        """The newest run, below `checkpoint`, `logs` and `samples`."""
        runs = Path("checkpoint") / self._exp(row, budget)
        return max(runs.iterdir()).relative_to("checkpoint")

    def _tested(self, row: str, budget: Budget) -> Path:
        """Where the test of the newest run writes."""
        return Path("samples", "checkpoint") / self._run_directory(row, budget)

    def trained(self, row, budget):
        runs = Path("checkpoint") / self._exp(row, budget)
        return runs.is_dir() and (Path("logs") / self._run_directory(row, budget) / "finished").exists()

    def test(self, row, budget):
        checkpoint = Path("checkpoint") / self._run_directory(row, budget)
        return [*self._run(row, budget), "--is_train=False", f"--load_cp_dir={checkpoint}",
                f"--samples={self._samples}", "--figures=False"]

    def read(self, row, budget):
        metrics = files.read_json(self._tested(row, budget) / "metrics.json")
        precision = files.read_json(Path("logs") / self._run_directory(row, budget) / "settings.json")["precision"]
        figures = {"inception score": round(metrics["inception_score"], 2), "deviation": round(metrics["deviation"], 2)}
        return {"budget": f"{self._epochs(budget)} epochs, {precision}; {metrics['samples']} images judged by the "
                          f"{metrics['classifier']}", "figures": figures,
                "memory": {name: round(share, 4) for name, share in metrics.get("memory", {}).items()}}

    def draw(self, path, results, ran, budget):
        """The first samples, two lines per method."""
        from lib import images
        from lib.report import pictures

        lines, labels = [], []
        for row in ran:
            samples = np.load(self._tested(row, budget) / "samples_gen_0.npy", mmap_mode="r")[:2 * self._TILES]
            tiles = images.stretch(samples)
            lines += [list(tiles[:self._TILES]), list(tiles[self._TILES:])]
            labels += [row, ""]
        files.write_bytes(path, pictures.as_png(pictures.labelled_grid(lines, labels)))

    def text(self, results, figures):
        """The table, and how much of the memory is in use."""
        used = {row: results[row]["memory"] for row in self.rows if row in results and results[row]["memory"]}
        lines = [["slots of the memory", *self._SHARES.values()], ["---"] * (1 + len(self._SHARES)),
                 *([row, *(f"{100 * shares[name]:.0f} %" for name in self._SHARES)] for row, shares in used.items())]
        return super().text(results, figures) + ("\n\n" + _markdown(lines) if used else "")

    def published(self, figures):
        scores = figures["memorygan"]["inception_score"][self._published]
        return {"inception score": {method: mean for method, (mean, _) in scores.items()}}


class LifelongVAE(Table):
    """The comparisons of the blog, which published no numbers: figures after each distribution, for each method.

    With layer norm: the moving averages of batch norm start afresh at each fork, as in the TF1 code, and after a
    thousand iterations they are still so far off that the test ELBO is three times what it is with batch statistics.
    """

    needs = "hours on a CPU"
    _WHOLE = 12000  # least iterations per distribution, by the original's README
    _FEWEST = 100
    _QUANTITIES = ("seen_elbo", "frechet_distance", "frechet_reconstructions")

    def __init__(self, script: str, distributions: int, ewc_gamma: float):
        self._script, self._distributions = script, distributions
        self.rows = {"lifelong": ["--method=lifelong"],
                     "lifelong (PyTorch)": ["--method=lifelong", "--formulas=pytorch", "--continuous_mut_info=1",
                                            "--discrete_mut_info=1"],
                     "ewc": ["--method=ewc", f"--ewc_gamma={ewc_gamma:g}"],
                     "vanilla": ["--method=vanilla"], "full_batch": ["--method=full_batch"]}

    @property
    def _evaluate(self):
        return importlib.import_module("lvae.evaluate")  # shared code imports no system

    def _transitions(self, results: dict) -> dict[str, list[dict]]:
        """Of the rows that were run, in the table's order."""
        return {row: results[row]["transitions"] for row in self.rows if row in results}

    def _interval(self, budget: Budget) -> int:
        return max(self._FEWEST, round(self._WHOLE * budget.scale))

    def _base(self, row: str, budget: Budget) -> Path:
        return Path("result", f"lvae_{self._script}_{_in_path(row)}_{self._interval(budget)}_{budget.precision}")

    def train(self, row, budget):
        return [f"lvae/run_{self._script}_experiment.py", "--sequential=True", "--latent_size=14", "--use_ln=True",
                f"--min_interval={self._interval(budget)}", f"--max_dist_swaps={self._distributions}",
                "--test_interval=0", "--frechet", *self.rows[row], f"--precision={budget.precision}",
                f"--base_dir={self._base(row, budget)}"]

    def trained(self, row, budget):
        return (self._base(row, budget) / "experiment_0" / "complete.json").exists()

    def read(self, row, budget):
        directory = self._base(row, budget) / "experiment_0"
        _, transitions = self._evaluate.read(directory)
        rounded = [{name: self._rounded(value) for name, value in figures.items()} for figures in transitions]
        precision = files.read_json(directory / "settings.json")["precision"]
        return {"budget": f"at least {self._interval(budget)} iterations per distribution, {precision}",
                "transitions": rounded}

    @staticmethod
    def _rounded(value):
        if isinstance(value, list):
            return [round(share, 4) for share in value]
        return round(value, 4) if isinstance(value, float) else value

    def draw(self, path, results, ran, budget):
        self._evaluate.draw(path, self._transitions(results), self._QUANTITIES)

    def text(self, results, figures):
        """A table per quantity, a line per transition and a column per method."""
        runs = self._transitions(results)
        if not runs:
            return f"Not run here: needs {self.needs}."
        parts = [f"{self._evaluate.title(quantity)}:\n\n{self._evaluate.table(runs, quantity)}"
                 for quantity in self._QUANTITIES]
        budgets = {results[row]["budget"] for row in runs}
        missing = [f"{row} was not run here" for row in self.rows if row not in runs]
        return "\n\n".join([*parts, f"Budget: {'; '.join([*sorted(budgets), *missing])}."])


TABLES = {
    "mergan-mnist": MeRGAN("mnist", "1e-3", 4001, 40001, "hours on a CPU"),
    "mergan-svhn": MeRGAN("svhn", "1e-2", 8001, 80001, "the SVHN files"),
    "mergan-lsun": MeRGAN("lsun", "1e-3", 20001, 80001, "the LSUN images and a GPU"),
    "memorygan-fashion": MemoryGAN("fashion", "fashion-mnist", 64000),
    "memorygan-affmnist": MemoryGAN("affmnist", "affine-mnist", 640000),
    "lvae-fashion": LifelongVAE("fashion_dnn", 10, ewc_gamma=100.0),
    "lvae-permuted": LifelongVAE("permuted_mnist", 5, ewc_gamma=100.0),
}


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
    unknown = [name for name in names if name not in TABLES]
    if unknown or not names:
        raise errors.UserError(f"no table {', '.join(unknown) or 'given'}; there are {', '.join(TABLES)}")
    figures = files.read_json(Path(__file__).parent / "published.json")
    budget, data_dir = Budget(FLAGS.scale, FLAGS.precision), Path(FLAGS.data_dir).resolve()
    stopped = []
    for name in names:
        table, path = TABLES[name], Path(FLAGS.results) / f"{name}.json"
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
            table.draw(path.with_suffix(".png"), results, ran, budget)
        write_between_markers(FLAGS.readme, name, table.text(results, figures))
    if stopped:
        raise errors.UserError(f"stopped by their scripts, see above: {'; '.join(stopped)}")


if __name__ == "__main__":
    define_flags()
    errors.run(main, takes_paths=True)
