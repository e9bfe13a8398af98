"""Settings of how a run is kept and where it computes, as opposed to what it computes: flags that all scripts share."""

import dataclasses
import re
from typing import NamedTuple

from absl import flags

FLAGS = flags.FLAGS


class Period(NamedTuple):
    """A number of seconds (unit "s") or of iterations ("it")."""

    number: float
    unit: str = "s"

    def __str__(self) -> str:
        return f"{self.number:g}{self.unit}"

    def ends_after(self, iteration: int, seconds: float) -> bool:
        """Whether a period is over: after an iteration, counted from 0, and so many seconds from the last one's end."""
        return (iteration + 1) % self.number == 0 if self.unit == "it" else seconds > self.number


@dataclasses.dataclass(frozen=True)
class Options:
    resume: str = "auto"  # auto: go on where the directory's run stopped; never: refuse to
    checkpoint_every: Period = Period(300.0)  # between resume points
    jit: str = "auto"  # on, off or auto: whether XLA compiles the steps, see `device.jit`
    strategy: str = "none"  # none, mirrored or multi_worker: who shares a step, see `device.strategy`


class PeriodParser(flags.ArgumentParser):
    """`300` or `300s`: seconds, fractions too; `100it`: iterations."""

    syntactic_help = "a period: 300 or 300s, in seconds, or 100it, in iterations"

    def parse(self, argument: str) -> Period:
        match = re.fullmatch(r"(\d+)it|(\d+\.?\d*)s?", argument)
        if not match or match[1] and not int(match[1]):
            raise ValueError("write 300 or 300s for seconds, 100it for iterations (at least 1it)")
        return Period(int(match[1]), "it") if match[1] else Period(float(match[2]))


def define_flags() -> None:
    """`--seed`, `--resume`, `--checkpoint_every`, `--deterministic` and `--jit`."""
    flags.DEFINE_integer("seed", 0, "Same seed, same run.", lower_bound=0)
    flags.DEFINE_enum("resume", "auto", ["auto", "never"], "auto: go on with the unfinished run of the same settings.")
    flags.DEFINE(PeriodParser(), "checkpoint_every", "300s", "Between resume points: so many seconds (300 or 300s) or "
                                                              "iterations (100it).")
    flags.DEFINE_boolean("deterministic", False, "Same numbers in every run on a GPU too (slower).")
    flags.DEFINE_enum("jit", "auto", ["auto", "on", "off"], "Compile the steps with XLA. auto: on a GPU; on a CPU its "
                      "convolutions are several times slower.")


def define_precision_flag() -> None:
    flags.DEFINE_enum("precision", "auto", ["auto", "float32", "mixed_bfloat16", "mixed_float16"],
                      "What the layers compute in. auto: float32 on a CPU, mixed on a GPU that is made for it.")


def options(**more) -> Options:
    """How the flags ask for the run to be kept; `more`: what only some scripts have flags for."""
    return Options(FLAGS.resume, FLAGS.checkpoint_every, FLAGS.jit, **more)
