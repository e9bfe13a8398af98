"""Timing things side by side."""

import time
from typing import Callable, NamedTuple

import numpy as np
import tensorflow as tf

ITERATIONS = 2  # of a case that runs several in one call, as a training does
_WARM_UP = 2  # calls: tracing, then whatever the first run of a trace prepares


class Case(NamedTuple):
    """Something to time."""

    about: dict  # what it is: system, dataset, step, precision, ...
    call: Callable[[], object]
    flops: float  # of one iteration
    images: int = 0  # real images that one iteration takes
    iterations: int = 1  # in one call


class Result(NamedTuple):
    case: Case
    times: np.ndarray  # seconds per iteration, [rounds]

    @property
    def seconds(self) -> float:
        return float(np.median(self.times))


def measure(cases: list[Case], rounds: int) -> list[Result]:
    """Time all cases in turns (A, B, C, A, B, C, ...), so that a drift of the machine's speed meets them alike."""
    for case in cases:
        for _ in range(_WARM_UP):
            case.call()
    times = [[_seconds(case) for case in cases] for _ in range(rounds)]
    return [Result(case, column) for case, column in zip(cases, np.transpose(times), strict=True)]


def ratio(above: Result, below: Result) -> float:
    """Median over the rounds of one measurement of how many times as long `above` took."""
    return float(np.median(above.times / below.times))


def _seconds(case: Case) -> float:
    started = time.perf_counter()
    case.call()
    tf.test.experimental.sync_devices()  # a GPU may still be at work when the call returns
    return (time.perf_counter() - started) / case.iterations
