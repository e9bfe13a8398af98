"""Every command of the READMEs, run in their order as a reader would, on small data and for few iterations.

What is not run, and why, is `NOT_RUN`.
"""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests import written
from tests.process import ROOT, Place
from tests.test_readmes import COMMANDS, script_of

# What makes a program's command small; of a flag that is given twice, the last counts.
SMALL = {
    "mergan.py": "--iters 2 --tasks 2",
    "joint.py": "--iters 2",
    "memorygan": "--epoch 1 --f_dim 4 --fc_dim 8 --mem_size 64 --choose_k 16 --samples 640",
    "lvae": "--batch_size 2 --min_interval 4 --max_dist_swaps 4 --epochs 1",
    "lvae/compare_runs.py": "",
    "lib.reproduce": "--scale 0 --rows SFT",
    "lib.compare": "--scale 0.01 --rows SFT --samples 100",
    "lib.workers": "--iters 2 --tasks 2",
    "lib.sample": "--count 64",
}
NOT_RUN = {
    r"-m lib\.reproduce mergan-mnist .*(--rows|--scale|--seeds)": "other rows and budgets of a command that is run",
    r"-m lib\.reproduce (lvae|memorygan)": "other tables of a program that is run; minutes whatever the budget",
    r"-m benchmarks": "minutes whatever the data; tests/benchmarks runs it",
}
ORDER = ("lib/mergan/README.md", "memorygan/README.md", "lvae/README.md", "README.md", "lib/tf1/README.md",
         "results/README.md", "benchmarks/README.md", "tests/README.md")


def reason_not_to(command: str) -> str | None:
    return next((reason for pattern, reason in NOT_RUN.items() if re.match(pattern, command)), None)


class Checkout:
    """The directories of a checkout that programs read and write, with small data where they look for them."""

    def __init__(self, path: Path):
        self.path = path
        for directory in ("dataset/mnist", "dataset/fashion", "memorygan/dataset/fashion", "lvae/MNIST_data",
                          "memorygan/dataset/affmnist", "lvae/Fashion_data", "MNIST_data", "Fashion_data"):
            # Of MNIST's 5,000 images are for validation; a class takes 64.
            written.mnist_like(path / directory, 5800 if "mnist" in directory.lower() else 800, 100)
        for directory in ("dataset", "memorygan/dataset"):
            written.cifar_files(path / directory / "cifar10", 100)
        random = np.random.default_rng(0)
        for number in range(71):
            for shade, name in enumerate(("dark", "grey", "light", "white")):
                image = (60 * shade + random.integers(0, 60, [32, 32])).astype(np.uint8)
                for place in (".", "memorygan", "lvae"):
                    written.put(path / place / "my_images" / name / f"{number}.png", written.image(image))
        (path / "results").mkdir()
        shutil.copy(ROOT / "results/README.md", path / "results")

    def run(self, readme: str, words: list[str], small: str = "") -> str | None:
        """Run a command where it stands, made small; what is wrong."""
        program, *arguments = words
        for page_before in ("samples.npz", "sevens"):  # writes there, too
            shutil.rmtree(self.path / page_before, ignore_errors=True)
            (self.path / page_before).unlink(missing_ok=True)
        if program == "-m":
            directory, few = ".", SMALL.get(arguments[0], "")
        else:
            script = "lvae/compare_runs.py" if program == "compare_runs.py" else script_of(readme, program)
            system = script.partition("/")[0]
            directory, few = "." if program == script else system, SMALL.get(script, SMALL.get(system, ""))
            program = script
        done = Place(self.path / directory).run([program, *map(self._as_made, arguments), *few.split(), *small.split()])
        return done.stderr[-500:] if done.returncode else None

    def _as_made(self, word: str) -> str:
        """A word of a command, for the runs of this checkout: they are shorter, and stamps are their own."""
        if word == "mergan.py":
            return str(ROOT / word)
        for written_so, here in (("model9-4000", "model1-1"), ("model-391", "model-1"),
                                 ("experiment_0", "experiment_2")):  # the one of Fashion-MNIST
            word = word.replace(written_so, here)
        if word.endswith("models/NAME.cpkt"):
            first, *_ = (self.path / "theirs/models").glob("*.index")
            return word.replace("NAME", first.name.removesuffix(".cpkt.index"))
        for place in ("checkpoint/0/", "memorygan/logs/0/"):
            if word.removeprefix("--load_cp_dir=").startswith(place):
                return word.replace("<stamp>", self._newest("fashion")).replace("*", self._newest("fashion"))
        return word

    def _newest(self, dataset: str) -> str:
        """The stamp of the last memoryGAN run on a data set."""
        settings = (self.path / "memorygan/logs/0").glob("*/settings.json")
        return max(path.parent.name for path in settings if f'"dataset": "{dataset}"' in path.read_text())

    def pretrained(self) -> None:
        """The run on CIFAR10 as if it had been fetched."""
        for place in ("memorygan", "."):
            shutil.copytree(self.path / "memorygan/checkpoint/0" / self._newest("cifar10"),
                            self.path / place / "checkpoint/pretrained_model", dirs_exist_ok=True)

    def theirs(self) -> None:
        """Checkpoints of two programs, to compare."""
        for name in ("theirs", "ours"):
            shutil.copytree(self.path / "result/mnist_RA_1e_3/model", self.path / name)
        shutil.copytree(self.path / "lvae/experiment_2/models", self.path / "theirs/models")
        shutil.copy(self.path / "lvae/experiment_2/settings.json", self.path / "theirs")


# Before a command that begins so, what it needs is made.
BEFORE = {
    "README.md -m lib.sample": lambda checkout: checkout.run(
        "README.md", "mergan.py --dataset digits --RA --RA_factor 1e-3 --result_path demo".split(),
        "--iters 2 --tasks 3"),
    "memorygan/README.md run.py --dataset=cifar10 --is_train=False": Checkout.pretrained,
    "lib/tf1/README.md -m lib.tf1 compare": Checkout.theirs,
}


@pytest.mark.slow
def test_every_command_runs(tmp_path):
    checkout = Checkout(tmp_path)
    failed = {}
    for readme, words in sorted(COMMANDS, key=lambda command: ORDER.index(command[0])):
        line = f"{readme} {' '.join(words)}"
        for beginning, make in BEFORE.items():
            if line.startswith(beginning):
                make(checkout)
        if not reason_not_to(" ".join(words)):
            print(line, flush=True)  # with -s one sees how far it is
            failed[line] = checkout.run(readme, words)
    assert not {line: error for line, error in failed.items() if error}


def test_all_readmes_have_their_turn_and_every_reason_is_needed():
    assert {readme for readme, _ in COMMANDS} <= set(ORDER)
    lines = [" ".join(words) for _, words in COMMANDS]
    assert all(any(re.match(pattern, line) for line in lines) for pattern in NOT_RUN)
