"""Steps on several devices: each replica computes on its share of the batch, gradients add up, reports are averaged.

Batches and noise are drawn whole, as on one device, and shared out inside the step. Outside of a strategy there is one
replica, and its share is everything.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

import tensorflow as tf

from lib import device
from lib.errors import TryAgain

_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


def count() -> int:
    """How many replicas compute the present step."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def share(whole: tf.Tensor, axis: int = 0) -> tf.Tensor:
    """This replica's consecutive part of a tensor; parts differ by one where the size cannot be divided."""
    replicas = count()
    if replicas == 1:
        return whole
    number = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
    size = whole.shape[axis] or tf.shape(whole)[axis]
    start, stop = (size * n // replicas for n in (number, number + 1))
    return whole[(slice(None),) * axis + (slice(start, stop),)]


def run_on_all(strategy: tf.distribute.Strategy | None, step):
    """`step` run by all replicas on the same arguments, its results averaged; without a strategy `step` as it is."""
    if strategy is None:
        return step

    def on_replica(*arguments):
        return tf.nest.map_structure(tf.convert_to_tensor, step(*arguments))

    def run(*arguments):
        results = strategy.run(on_replica, arguments)
        return tf.nest.map_structure(lambda value: strategy.reduce("mean", value, axis=None), results)

    return run


def _has_other_workers(strategy: tf.distribute.Strategy | None) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


@contextlib.contextmanager
def directory(strategy: tf.distribute.Strategy | None, shared: Path):
    """Where this process keeps a run whose directory is `shared`.

    The first worker keeps it there. Every other one does the same in a directory of its own, which begins with what
    there is to go on from and is removed at the end.
    """
    if not _has_other_workers(strategy) or strategy.extended.should_checkpoint:
        yield shared
        return
    with tempfile.TemporaryDirectory() as own:
        for path in [Path(shared, "settings.json"), *Path(shared, "resume").glob("ckpt-*")]:
            if path.exists():
                copy = Path(own) / path.relative_to(shared)
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, copy)
        yield Path(own)


def stop_together(strategy: tf.distribute.Strategy | None):
    """A function (this worker wants to stop) -> whether any worker does; None where there is one worker only."""
    if not _has_other_workers(strategy):
        return None

    @device.graph
    def count_of(wishes):
        return strategy.reduce("sum", strategy.run(tf.identity, (wishes,)), axis=None)

    return lambda wish: bool(count_of(tf.constant(int(wish))) > 0)


@contextlib.contextmanager
def with_other_workers(strategy: tf.distribute.Strategy | None):
    """Raises `TryAgain` when another worker is lost."""
    try:
        yield
    except _LOST as error:
        if not _has_other_workers(strategy):
            raise
        raise TryAgain("another worker is gone; start all of them again with the same command, the run goes on from "
                       "its last resume point") from error
