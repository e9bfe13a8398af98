"""Time the steps of the three systems; see benchmarks/README.md.

    python -m benchmarks --out benchmarks.json
    python -m benchmarks --quick
"""

import dataclasses
import importlib.util
import itertools
import os
import platform
import resource
from pathlib import Path

from lib import errors, files
from lib.errors import UserError
from lib.mergan.config import DATASETS
from lib.run.flags import Parser
from lib.run.settings import PRECISIONS, Checked, FilePath, setting
from lib.systems import SYSTEMS
from memorygan.config import DATASETS as MEMORYGAN_DATASETS

METHODS = ("SFT", "RA", "JTR")


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is timed. Lists have commas between."""

    systems: tuple[str, ...] = setting(tuple(SYSTEMS), "Whose steps.", choices=SYSTEMS)
    datasets: tuple[str, ...] = setting(("mnist", "svhn"), "MeRGAN's data sets; lsun takes very long.",
                                        choices=DATASETS)
    methods: tuple[str, ...] = setting(METHODS, "MeRGAN's methods.", choices=METHODS)
    past: tuple[str, ...] = setting(("1", "5", "9"), "Past classes of RA and JTR; lsun has 4 classes, so at most 3.")
    memory_datasets: tuple[str, ...] = setting(("fashion",), "memoryGAN's data sets; the paper tells the memory's cost "
                                                             "on cifar10.", choices=MEMORYGAN_DATASETS)
    slots: tuple[str, ...] = setting(("4096", "16384", "65536"), "memoryGAN's slots.")
    forks: tuple[str, ...] = setting(("1", "5", "10"), "Forks of the Lifelong VAE, convolutional and dense.")
    precisions: tuple[str, ...] = setting(("float32", "mixed_bfloat16"), "What the layers compute in.",
                                          choices=PRECISIONS)
    jit: tuple[str, ...] = setting(("auto",), "With XLA or without.", choices=("auto", "on", "off"))
    rounds: int = setting(10, "How often everything is timed; medians are reported.", least=1)
    pytorch: bool = setting(False, "Also the same steps in PyTorch, as far as they were written: MeRGAN's 32x32 sets, "
                                   "memoryGAN on fashion, the Lifelong VAE; needs pip install -e .[bench].")
    quick: bool = setting(False, "Few cases and rounds.")
    gpu_plan: bool = setting(False, "Only print the commands for half an hour on a GPU, in their order.",
                             flag="gpu-plan")
    out: FilePath = setting("", "JSON file for the figures.")

    def __post_init__(self):
        super().__post_init__()
        for name in ("past", "slots", "forks"):
            wrong = [word for word in getattr(self, name) if not (word.isdigit() and int(word))]
            if wrong:
                raise UserError(f"--{name}={','.join(wrong)}: not a number above 0")
        if self.out and not Path(self.out).parent.is_dir():
            raise UserError(f"--out={self.out}: there is no such directory")

    def numbers(self, name: str) -> list[int]:
        return [int(word) for word in getattr(self, name)]


# What --quick takes where a flag is not given.
QUICK = {"datasets": ("mnist",), "methods": ("SFT", "RA"), "past": ("9",), "slots": ("4096",), "forks": ("1",),
         "precisions": ("float32",), "rounds": 3}

# For whoever has one: no figure counts unless the golden figures come out there. All of it is one line of a shell,
# `python -m benchmarks --gpu-plan | bash -e`.
GPU_PLAN = """\
# 1. The golden figures
python -m tests.golden tests/golden/figures/*.json
# 2. All systems in each precision, with XLA and without
python -m benchmarks --past 9 --forks 1,10 --precisions float32,mixed_bfloat16,mixed_float16 --jit on,off --rounds 5 \\
    --out results/benchmarks-gpu.json
# 3. MNIST's table as published, row by row until the time is over; the same command goes on
python -m lib.reproduce mergan-mnist --rows RA,JTR,SFT,JT,DGR,EWC --publish"""


def read(arguments: list[str]) -> Command:
    asked = Parser(__doc__).add(Command).parse(arguments)
    quick = QUICK if asked.of(Command).quick else {}
    return Command(**(asked.values(Command) | quick | asked.given(Command)))


def measurements(command: Command, ways):
    """(name, cases) of what is timed together, in all `ways` (precision, jit); cases are made when their turn comes."""
    from benchmarks import lvae, memorygan, mergan

    if "mergan" in command.systems:
        for dataset in command.datasets:
            past = [count for count in command.numbers("past") if count < len(DATASETS[dataset].classes)]
            cases = [case for way in ways for case in mergan.cases(dataset, command.methods, past, *way)]
            if dataset == "mnist":
                cases += [mergan.yardstick_case(*way) for way in ways]
            yield f"MeRGAN on {dataset}", cases
    if "memorygan" in command.systems:
        slots = command.numbers("slots")
        for dataset in command.memory_datasets:
            yield f"memoryGAN on {dataset}", [case for way in ways for case in memorygan.cases(dataset, slots, *way)]
    if "lvae" in command.systems:
        forks = command.numbers("forks")
        for experiment in lvae.EXPERIMENTS:
            yield f"Lifelong VAE on {experiment}", [
                case for way in ways for case in lvae.cases(experiment, forks, *way)]


def machine(device: str) -> dict:
    import tensorflow as tf

    return {"device": device.removeprefix("device: "), "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "tensorflow": tf.__version__, "python": platform.python_version()}


def peak_memory() -> dict:
    """In bytes: of this process since it began, and of the first GPU where there is one."""
    import tensorflow as tf

    memory = {"process": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    if tf.config.list_logical_devices("GPU"):
        memory["gpu"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return memory


def main(arguments: list[str]) -> None:
    command = read(arguments)
    if command.gpu_plan:
        print(GPU_PLAN)
        return
    if command.pytorch and not importlib.util.find_spec("torch"):
        raise UserError("--pytorch: PyTorch is not installed; pip install -e .[bench]")
    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from benchmarks import peak, report, timing
    from lib import device

    found = machine(device.set_up())
    print(", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    twins = None
    if command.pytorch:
        from benchmarks.pytorch import twins

        twins.prepare()
    figures = {"machine": found, "rounds": command.rounds, "peaks": [], "cases": [], "ratios": [],
               "peak_memory_bytes": {}}
    ways = list(itertools.product(command.precisions, {device.jit(choice): None for choice in command.jit}))
    for name, cases in measurements(command, ways):
        cases += twins.of(cases) if twins else []
        wanted = sorted({case.about["precision"] for case in cases})
        peaks = [case for precision in wanted for case in peak.cases(precision)]
        results = timing.measure(peaks + cases, command.rounds)
        peaks, results = results[:len(peaks)], results[len(peaks):]
        rows, ratios = report.figures(results, peaks), report.ratios(results)
        reached = [result.case.about | {"beside": name, "flops_per_second": result.case.flops / result.seconds}
                   for result in peaks]
        figures["peaks"] += reached
        figures["cases"] += rows
        figures["ratios"] += ratios
        figures["peak_memory_bytes"][name] = peak_memory()  # so far
        print("\n".join([f"\n{name}", report.peak_table(reached), report.table(rows), report.ratio_table(ratios)]),
              flush=True)
    print(f"\npeak memory: {peak_memory()['process'] / 1e9:.2f} GB")
    if command.out:
        files.write_json(Path(command.out), figures)


if __name__ == "__main__":
    errors.run(main)
