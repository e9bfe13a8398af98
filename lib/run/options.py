"""How a run is kept and where it computes, as opposed to what it computes: settings that all scripts share."""

import dataclasses
import re
from typing import NamedTuple

from lib.run.settings import Checked, setting


class Period(NamedTuple):
    """A number of seconds (unit "s") or of iterations ("it")."""

    number: float
    unit: str = "s"

    def __str__(self) -> str:
        return f"{self.number:g}{self.unit}"

    @staticmethod
    def parse(text: str) -> "Period":
        """`300` or `300s`: seconds, fractions too; `100it`: iterations, at least one. Else `ValueError`."""
        match = re.fullmatch(r"(\d+)it|(\d+\.?\d*)s?", text)
        if not match or match[1] and not int(match[1]):
            raise ValueError("write 300 or 300s for seconds, 100it for iterations (at least 1it)")
        return Period(int(match[1]), "it") if match[1] else Period(float(match[2]))

    def ends_after(self, iteration: int, seconds: float) -> bool:
        """Whether a period is over: after an iteration, counted from 0, and so many seconds from the last one's end."""
        return (iteration + 1) % self.number == 0 if self.unit == "it" else seconds > self.number


@dataclasses.dataclass(frozen=True)
class Options(Checked):
    """How the run is kept and computed. None of it changes what a run on one device computes, but for roundings."""

    resume: str = setting("auto", "auto: go on with the unfinished run of the same settings; never: refuse to.",
                          choices=("auto", "never"))
    checkpoint_every: Period = setting(Period(300.0), "Time between resume points: seconds (300 or 300s) or iterations "
                                                      "(100it).")
    jit: str = setting("auto", "Compile the steps with XLA. auto: on a GPU; on a CPU its convolutions are several "
                               "times slower.", choices=("auto", "on", "off"))
    deterministic: bool = setting(False, "Same numbers in every run on a GPU too (slower).")
    threads: int = setting(0, "Threads that TensorFlow computes with; on a CPU the numbers depend on how many. 0: as "
                              "many as TensorFlow takes, one per core.", least=0, most=1024)
    strategy: str = setting("none", "Who shares each batch. mirrored: all GPUs. multi_worker: the processes that "
                                    "TF_CONFIG names.", choices=("none", "mirrored", "multi_worker"))
