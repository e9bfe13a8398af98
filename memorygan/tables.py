"""memoryGAN's tables 1 and 2, see `lib.reproduce.table`: inception scores with and without the parts of the memory.

What needs TensorFlow is imported where it is used: the tables are listed and written without it.
"""

from pathlib import Path

import numpy as np

from lib import files
from lib.report.tables import markdown
from lib.reproduce.table import Budget, Compared, in_path
from lib.run import place
from memorygan.config import Config

_TILES = 24  # samples in a line of the picture
_SCORES = 10  # over the epochs of a run


class MemoryGAN(Compared):
    """Of one data set: inception scores with and without the parts of the memory."""

    _SHARES = {"slots_written": "ever written", "slots_real": "that stand for real images",
               "slots_sampled_effectively": "drawn for samples, effectively"}
    rows = {"MemoryGAN": [], "-EM": ["--memory_update=kaiser"], "-MCGN": ["--slot_sampling=False"],
            # The appendix (B.2) gives the plain GAN 32 latent dimensions.
            "-Memory": ["--model=GAN", "--z_dim=32"],
            # Not in the paper. Its plain GAN has a critic of its own, many times as large and as slow.
            "-Memory (same networks)": ["--model=GAN", "--discriminator=memory_d"]}

    def __init__(self, dataset: str, published_name: str, samples: int, needs: str = "hours on a CPU"):
        self._dataset, self._published, self._samples, self.needs = dataset, published_name, samples, needs

    def _exp(self, row: str, budget: Budget) -> str:
        ablation = f"-{in_path(row)}" if row.startswith("-") else ""
        return f"{self._dataset}{ablation}_{self._epochs(budget)}_{budget.name}"

    @staticmethod
    def _epochs(budget: Budget) -> int:
        return max(1, round(Config.epoch * budget.scale))

    def _run(self, row: str, budget: Budget) -> list[str]:
        return ["memorygan/run.py", f"--dataset={self._dataset}", *self.rows[row], f"--epoch={self._epochs(budget)}",
                *budget.flags, f"--exp={self._exp(row, budget)}"]

    def train(self, row, budget):
        return [*self._run(row, budget), "--save_from=1", f"--save_every={max(1, self._epochs(budget) // _SCORES)}"]

    def _run_directory(self, row: str, budget: Budget) -> Path:
        """The newest run, below `checkpoint`, `logs` and `samples`."""
        runs = Path("checkpoint") / self._exp(row, budget)
        return max(runs.iterdir()).relative_to("checkpoint")

    def _tested(self, row: str, budget: Budget) -> Path:
        """Where the test of the newest run writes."""
        return Path("samples", "checkpoint") / self._run_directory(row, budget)

    def trained(self, row, budget):
        runs = Path("checkpoint") / self._exp(row, budget)
        return runs.is_dir() and place.is_finished(Path("logs") / self._run_directory(row, budget))

    def test(self, row, budget):
        checkpoint = Path("checkpoint") / self._run_directory(row, budget)
        return [*self._run(row, budget), "--is_train=False", f"--load_cp_dir={checkpoint}",
                f"--samples={self._samples}", "--every_epoch", "--figures=False"]

    def read(self, row, budget):
        from memorygan.evaluate import score_by_epoch

        metrics = files.read_json(self._tested(row, budget) / "metrics.json", dict)
        precision = files.read_json(Path("logs") / self._run_directory(row, budget) / "settings.json",
                                    dict)["precision"]
        by_epoch = {epoch: round(score, 2) for epoch, score in score_by_epoch(metrics).items()}
        figures = {"inception score": round(metrics["inception_score"], 2), "deviation": round(metrics["deviation"], 2)}
        trained = budget.text(f"{self._epochs(budget)} epochs", precision)
        return {"budget": f"{trained}; {metrics['samples']} images judged by the {metrics['classifier']}",
                "figures": figures, "by_epoch": by_epoch,
                "memory": {name: round(share, 4) for name, share in metrics.get("memory", {}).items()},
                "directory": str(self._tested(row, budget))}

    def draw(self, path, results):
        """The first samples of the methods whose run is here, two lines each, and all scores over the epochs."""
        from lib import pictures

        files_of = {row: Path(results[row]["directory"], "samples_gen_0.npy") for row in self.rows if row in results}
        lines, labels = [], []
        for row, samples in files_of.items():
            if samples.exists():
                tiles = pictures.stretch(np.load(samples, mmap_mode="r")[:2 * _TILES])
                lines += [list(tiles[:_TILES]), list(tiles[_TILES:])]
                labels += [row, ""]
        files.write_bytes(path, pictures.as_png(pictures.labelled_grid(lines, labels), small=True))
        scores = [pictures.Line(row, [*map(int, results[row]["by_epoch"])], [*results[row]["by_epoch"].values()])
                  for row in self.rows if results.get(row, {}).get("by_epoch")]
        if scores:
            chart = pictures.Chart(scores, "epoch", "inception score")
            files.write_bytes(path.with_name(f"{path.stem}-scores.png"),
                              pictures.line_chart(chart, kind="png", size=(6, 4)))

    def text(self, results, figures):
        """The table, what the paper sets beside it, and how much of the memory is in use."""
        used = {row: results[row]["memory"] for row in self.rows if row in results and results[row]["memory"]}
        shares = [[row, *(f"{100 * by_name[name]:.0f} %" for name in self._SHARES)] for row, by_name in used.items()]
        parts = [super().text(results, figures)]
        others = figures["memorygan"].get(f"{self._dataset}_inception_score_of_others")
        if others:
            scores = (f"{name} {mean:.2f}" for name, (mean, _) in others.items())
            parts.append(f"Other methods, as the paper lists them: {', '.join(scores)}.")
        if used:
            parts.append(markdown(["slots of the memory", *self._SHARES.values()], shares))
        return "\n\n".join(parts)

    def published(self, figures):
        scores = figures["memorygan"]["inception_score"][self._published]
        return {"inception score": {method: mean for method, (mean, _) in scores.items()}}


TABLES = {
    "memorygan-fashion": MemoryGAN("fashion", "fashion-mnist", 64000),
    "memorygan-affmnist": MemoryGAN("affmnist", "affine-mnist", 640000),
    "memorygan-cifar10": MemoryGAN("cifar10", "cifar10", 640000, "CIFAR10 and a GPU"),
}
