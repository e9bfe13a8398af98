"""Time the steps of the three systems; see README.md.

    python -m benchmarks --out benchmarks.json
    python -m benchmarks --quick
"""

import itertools
import os
import platform
import resource
from pathlib import Path

from absl import flags

from lib import errors, files
from lib.errors import UserError
from lib.mergan.config import DATASETS

FLAGS = flags.FLAGS
SYSTEMS = ("mergan", "memorygan", "lvae")
METHODS = ("SFT", "RA", "JTR")
JIT = ("auto", "on", "off")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# What --quick takes where a flag is not given.
QUICK = {"datasets": ["mnist"], "methods": ["SFT", "RA"], "past": ["9"], "slots": ["4096"], "forks": ["1"],
         "precisions": ["float32"], "rounds": 3}

flags.DEFINE_list("systems", list(SYSTEMS), f"Of {', '.join(SYSTEMS)}.")
flags.DEFINE_list("datasets", ["mnist", "svhn"], f"MeRGAN's, of {', '.join(DATASETS)}; lsun takes very long.")
flags.DEFINE_list("methods", list(METHODS), f"MeRGAN's, of {', '.join(METHODS)}.")
flags.DEFINE_list("past", ["1", "5", "9"], "Past classes of RA and JTR; lsun has 4 classes, so at most 3.")
flags.DEFINE_list("slots", ["4096", "16384", "65536"], "memoryGAN's slots.")
flags.DEFINE_list("forks", ["1", "5", "10"], "Forks of the Lifelong VAE.")
flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], f"Of {', '.join(PRECISIONS)}.")
flags.DEFINE_list("jit", ["auto"], f"Of {', '.join(JIT)}: with XLA or without.")
flags.DEFINE_integer("rounds", 10, "How often everything is timed; medians are reported.", lower_bound=1)
flags.DEFINE_boolean("quick", False, "Few cases and rounds.")
flags.DEFINE_string("out", "", "JSON file for the figures.")


def chosen(name: str, known=None) -> list:
    """The words of a list flag, or, with nothing `known`, its positive numbers."""
    words = QUICK[name] if FLAGS.quick and name in QUICK and not FLAGS[name].present else FLAGS[name].value
    for word in words:
        if known is not None and word not in known:
            raise UserError(f"--{name}={word}: unknown; one of {', '.join(known)}")
        if known is None and not (word.isdigit() and int(word)):
            raise UserError(f"--{name}={word}: not a number above 0")
    return list(words) if known is not None else [int(word) for word in words]


def measurements(systems, ways):
    """(name, cases) of what is timed together, in all `ways` (precision, jit); cases are made when their turn comes."""
    from benchmarks import lvae, memorygan, mergan

    if "mergan" in systems:
        methods = chosen("methods", METHODS)
        for dataset in chosen("datasets", DATASETS):
            past = [count for count in chosen("past") if count < len(DATASETS[dataset].classes)]
            cases = [case for way in ways for case in mergan.cases(dataset, methods, past, *way)]
            if dataset == "mnist":
                cases += [mergan.yardstick_case(*way) for way in ways]
            yield f"MeRGAN on {dataset}", cases
    if "memorygan" in systems:
        slots = chosen("slots")
        yield "memoryGAN on fashion", [case for way in ways for case in memorygan.cases(slots, *way)]
    if "lvae" in systems:
        forks = chosen("forks")
        yield "Lifelong VAE on mnist", [case for way in ways for case in lvae.cases(forks, *way)]


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


def main():
    systems, precisions, jit = chosen("systems", SYSTEMS), chosen("precisions", PRECISIONS), chosen("jit", JIT)
    rounds = QUICK["rounds"] if FLAGS.quick and not FLAGS["rounds"].present else FLAGS.rounds
    if FLAGS.out and not Path(FLAGS.out).parent.is_dir():
        raise UserError(f"--out={FLAGS.out}: there is no such directory")
    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from benchmarks import peak, report, timing
    from lib import device

    found = machine(device.set_up())
    print(", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    figures = {"machine": found, "rounds": rounds, "peaks": [], "cases": [], "ratios": [], "peak_memory_bytes": {}}
    ways = list(itertools.product(precisions, {device.jit(choice): None for choice in jit}))
    for name, cases in measurements(systems, ways):
        wanted = sorted({case.about["precision"] for case in cases})
        peaks = [case for precision in wanted for case in peak.cases(precision)]
        results = timing.measure(peaks + cases, rounds)
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
    if FLAGS.out:
        files.write_json(Path(FLAGS.out), figures)


if __name__ == "__main__":
    errors.run(main)
