"""The Lifelong VAE's comparisons, see `lib.reproduce.table`: sequential Fashion-MNIST and permuted MNIST.

What needs TensorFlow is imported where it is used: the tables are listed and written without it.
"""

from pathlib import Path

from lib import files
from lib.reproduce.table import Budget, Table, in_path
from lib.run import place


class LifelongVAE(Table):
    """The comparisons of the blog, which published no numbers: figures after each distribution, for each method.

    As published: batch norm and 12,000 iterations per distribution. Its moving averages start afresh at each fork, as
    in the TF1 code; with a short interval (`--scale`) they are still far off at its end, then take
    `--options use_ln=True`.

    Args:
      whole: least iterations per distribution; the default is that of the original's README.
    """

    _FEWEST = 100
    _QUANTITIES = ("seen_elbo", "frechet_distance", "frechet_reconstructions")
    rows = {"lifelong": ["--method=lifelong"],
            "lifelong (no consistency)": ["--method=lifelong", "--consistency_gamma=0"],
            "lifelong (PyTorch)": ["--method=lifelong", "--formulas=pytorch", "--continuous_mut_info=1",
                                   "--discrete_mut_info=1"],
            "ewc": ["--method=ewc", "--ewc_gamma=100"],
            "vanilla": ["--method=vanilla"], "progressive": ["--method=progressive"],
            "full_batch": ["--method=full_batch"]}

    def __init__(self, script: str, distributions: int, test_interval: int, whole: int = 12_000,
                 needs: str = "hours on a CPU"):
        self._script, self._distributions, self._test_interval = script, distributions, test_interval
        self._whole, self.needs = whole, needs

    def _transitions(self, results: dict) -> dict[str, list[dict]]:
        """Of the rows that were run, in the table's order."""
        return {row: results[row]["transitions"] for row in self.rows if row in results}

    def _interval(self, budget: Budget) -> int:
        return max(self._FEWEST, round(self._whole * budget.scale))

    def _base(self, row: str, budget: Budget) -> Path:
        return Path("result", f"lvae_{self._script}_{in_path(row)}_{self._interval(budget)}_{budget.name}")

    def train(self, row, budget):
        return [f"lvae/run_{self._script}_experiment.py", "--sequential=True", "--latent_size=14", "--use_bn=True",
                f"--min_interval={self._interval(budget)}", f"--max_dist_swaps={self._distributions}",
                f"--test_interval={self._test_interval}", "--frechet", *self.rows[row], *budget.flags,
                f"--base_dir={self._base(row, budget)}"]

    def directory(self, row: str, budget: Budget) -> Path:
        return self._base(row, budget) / "experiment_0"

    def trained(self, row, budget):
        return place.is_finished(self.directory(row, budget))

    def read(self, row, budget):
        from lvae import comparison

        directory = self.directory(row, budget)
        _, transitions = comparison.read(directory)
        rounded = [{name: self._rounded(value) for name, value in figures.items()} for figures in transitions]
        precision = files.read_json(directory / "settings.json", dict)["precision"]
        curve = comparison.after_switches(directory, self._distributions)
        return {"budget": budget.text(f"at least {self._interval(budget)} iterations per distribution", precision),
                "transitions": rounded, "after_switches": self._rounded(curve)}

    @staticmethod
    def _rounded(value):
        if isinstance(value, list):
            return [round(number, 4) for number in value]
        return round(value, 4) if isinstance(value, float) else value

    def draw(self, path, results):
        from lvae import comparison

        comparison.draw(path, self._transitions(results), self._QUANTITIES)

    def text(self, results, figures):
        """A table per quantity, a line per transition and a column per method."""
        from lvae import comparison

        runs = self._transitions(results)
        if not runs:
            return f"Not run here: needs {self.needs}."
        parts = [f"{comparison.title(quantity)}:\n\n{comparison.table(runs, quantity)}"
                 for quantity in self._QUANTITIES]
        curves = {row: results[row]["after_switches"] for row in runs if results[row].get("after_switches")}
        if curves:
            parts.append(f"Negative test ELBO, all distributions, by thousands of iterations after a switch, mean over "
                         f"the switches:\n\n{comparison.curve_table(curves)}")
        budgets = self._budgets(results, runs)
        missing = [row for row in self.rows if row not in runs]
        if missing:
            budgets.append(f"not run here: {', '.join(missing)}")
        return "\n\n".join([*parts, f"Budget: {'; '.join(budgets)}."])

    @staticmethod
    def _budgets(results: dict, runs: dict) -> list[str]:
        """Of the rows that were run, and which they are where budgets differ."""
        rows_of: dict[str, list[str]] = {}
        for row in runs:
            rows_of.setdefault(results[row]["budget"], []).append(row)
        return [budget if len(rows_of) == 1 else f"{', '.join(rows)}: {budget}" for budget, rows in rows_of.items()]


TABLES = {
    "lvae-fashion": LifelongVAE("fashion_dnn", 10, test_interval=200),
    "lvae-permuted": LifelongVAE("permuted_mnist", 5, test_interval=1000),
    "lvae-mnist-svhn": LifelongVAE("mnist_svhn", 2, test_interval=1000, needs="the SVHN files, and a GPU or days"),
}

# What `lib.compare` puts beside other systems: a table for each data set, its rows, and flags that it adds. The moving
# averages of batch norm need an interval as long as the published one, layer norm does not.
COMPARED = {"fashion": TABLES["lvae-fashion"], "digits": LifelongVAE("digits", 10, test_interval=0, whole=500)}
COMPARED_ROWS = ("vanilla", "ewc", "lifelong")
COMPARED_FLAGS = ("use_bn=False", "use_ln=True", "frechet=False", "test_interval=0")


def as_learned(dataset: str, split: str, data_dir: str):
    """Real images of a split as the dense networks learn them: uint8 [n, h, w, 1], and their classes int32 [n]."""
    from lvae import config, distributions, samples

    asked = config.make_config("digits" if dataset == "digits" else f"{dataset}_dnn")
    course = distributions.load(asked, data_dir)
    parts = distributions.joined([getattr(part, split) for part in course.distributions])
    return samples.rounded_pixels(asked, parts.take(slice(None), asked.architecture.input_shape)), parts.labels
