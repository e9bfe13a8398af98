"""MeRGAN's tables 1 (mnist, svhn) and 2 (lsun), and the like of data sets that later papers take.

See `lib.reproduce.table`.

What needs TensorFlow is imported where it is used: the tables are listed and written without it.
"""

from pathlib import Path

from lib import files
from lib.mergan.config import make_config
from lib.reproduce.table import Budget, Compared

_TILES = 3  # samples of each class in a picture
_ANIMATED = ("SFT", "EWC", "JTR", "RA")  # as the authors compare them


class MeRGAN(Compared):
    """One data set's table."""

    def __init__(self, dataset: str, alignment_factor: str, needs: str, without: tuple[str, ...] = ()):
        self._dataset, self.needs = dataset, needs
        self.rows = {"JT": ["joint.py"], "SFT": ["mergan.py"], "EWC": ["mergan.py", "--EWC"],
                     "DGR": ["mergan.py", "--DGR"], "JTR": ["mergan.py", "--JTR"],
                     "RA": ["mergan.py", "--RA", f"--RA_factor={alignment_factor}"]}
        for row in without:
            del self.rows[row]

    def _name(self, row: str, budget: Budget) -> str:
        return f"{self._dataset}_{row}_{self._iterations(row, budget)}_{budget.name}"

    def directory(self, row: str, budget: Budget) -> Path:
        return Path("result") / self._name(row, budget)

    def _iterations(self, row: str, budget: Budget) -> int:
        return budget.of(make_config(joint=row == "JT", dataset=self._dataset).iterations)

    def _run(self, row: str, budget: Budget) -> list[str]:
        return [*self.rows[row], f"--dataset={self._dataset}", f"--iters={self._iterations(row, budget)}",
                *budget.flags]

    def train(self, row, budget):
        return [*self._run(row, budget), f"--result_path={self._name(row, budget)}"]

    def test(self, row, budget):
        measures = ["--metrics=accuracy,reverse_accuracy,fid"] if self._dataset == "lsun" else []
        return [*self._run(row, budget), *measures, "--test", f"--result_path={self.directory(row, budget)}"]

    def read(self, row, budget):
        from lib.mergan.report import runs

        run = runs.read(self.directory(row, budget), row)
        in_all = "in all" if row == "JT" else "per task"
        return {"budget": budget.text(f"{self._iterations(row, budget)} iterations {in_all}",
                                      run.settings["precision"]),
                "figures": {name: round(value, 2) for name, value in self._named(run.measures).items()},
                "directory": str(self.directory(row, budget))}

    @staticmethod
    def _named(figures: dict) -> dict:
        """{(measure, tasks): value} of the report, by one name."""
        return {f"{measure}, {tasks} tasks": value for (measure, tasks), value in figures.items()}

    def draw(self, path, results):
        """Samples of each class by the methods whose run is here, and beside it how SFT and RA learn, as a GIF.

        A line per method, in the order of the classes, of the same latent vectors.
        """
        from lib import pictures
        from lib.mergan.report import animation, runs

        directories = {row: results[row]["directory"] for row in self.rows if "directory" in results.get(row, {})}
        here = {row: runs.read(directory, row) for row, directory in directories.items()
                if Path(directory, "settings.json").exists()}
        by_class = [run.gallery.classes_by_latents(max(run.gallery.finished()), _TILES) for run in here.values()]
        # An unconditional generator may have given fewer.
        lines = [[tile for tiles in classes for tile in (tiles + [None] * _TILES)[:_TILES]] for classes in by_class]
        files.write_bytes(path, pictures.as_png(pictures.labelled_grid(lines, list(here)), small=True))
        gif = animation.learning([here[row] for row in _ANIMATED if row in here])
        if gif:
            files.write_bytes(path.with_suffix(".gif"), gif)

    def published(self, figures):
        from lib.mergan.report import gallery

        of_paper = gallery.published(figures[gallery.PUBLISHED], self._dataset)
        return self._named(of_paper or {("accuracy [%]", tasks): {} for tasks in (5, 10)})


TABLES = {
    "mergan-mnist": MeRGAN("mnist", "1e-3", "hours on a CPU"),
    "mergan-svhn": MeRGAN("svhn", "1e-2", "the SVHN files"),
    "mergan-lsun": MeRGAN("lsun", "1e-3", "the LSUN images and a GPU", without=("JT",)),  # as the paper's table
    "mergan-fashion": MeRGAN("fashion", "1e-3", "hours on a CPU", without=("EWC", "DGR")),
}

# What `lib.compare` puts beside other systems: a table for each data set, and its rows.
COMPARED = {"fashion": TABLES["mergan-fashion"], "digits": MeRGAN("digits", "1e-3", "")}
COMPARED_ROWS = ("SFT", "JTR", "RA")
COMPARED_FLAGS = ()


def as_learned(dataset: str, split: str, data_dir: str):
    """Real images of a split as MeRGAN learns them: uint8 [n, 32, 32, 1], and their classes int32 [n]."""
    from lib.classifiers import real_images

    return real_images.load(dataset, split, data_dir)[:2]
