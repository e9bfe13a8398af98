"""Steps on several devices: each replica computes on its share of the batch, gradients and reports are averaged.

Batches and noise are drawn whole, as on one device, and shared out inside the step. Outside of a strategy there is one
replica, and its share is everything.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from lib import device
from lib.errors import TryAgain, UserError
from lib.run.options import Options

_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


@contextlib.contextmanager
def started(options: Options) -> Iterator[tf.distribute.Strategy | None]:
    """The strategy of `--strategy`, None for one device; raises `TryAgain` when another worker is lost."""
    strategy = device.strategy(options.strategy)
    try:
        yield strategy
    except _LOST as error:
        if not _has_other_workers(strategy):
            raise
        raise TryAgain("another worker is gone; start all of them again with the same command, the run goes on from "
                       "its last resume point") from error


def count() -> int:
    """How many replicas compute the present step."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def _number() -> int:
    """Of this replica among them, from 0."""
    return int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))


def share(whole: tf.Tensor, axis: int = 0) -> tf.Tensor:
    """This replica's consecutive part of a tensor; parts differ by one where the size cannot be divided."""
    replicas = count()
    if replicas == 1:
        return whole
    size = whole.shape[axis] or tf.shape(whole)[axis]
    start, stop = (size * n // replicas for n in (_number(), _number() + 1))
    return whole[(slice(None),) * axis + (slice(start, stop),)]


def deal(whole, dealt: int = 0):
    """This replica's rows of a tensor or range, dealt to all in turn after `dealt` others."""
    return whole if count() == 1 else whole[(_number() - dealt) % count()::count()]


def gather(part: tf.Tensor) -> tf.Tensor:
    """All replicas' rows, of as many each, in the order of `share`. Gradients flow to this replica's own only."""
    if count() == 1:
        return part
    size = part.shape[0]
    whole = tf.distribute.get_replica_context().all_gather(tf.stop_gradient(part), axis=0)
    whole = tf.ensure_shape(whole, [count() * size, *part.shape[1:]])
    return tf.concat([whole[:_number() * size], part, whole[(_number() + 1) * size:]], axis=0)


def mean(values):
    """The mean over all replicas of a tensor or of each in a structure of them; differentiable."""
    return values if count() == 1 else tf.distribute.get_replica_context().all_reduce("mean", values)


def total(values):
    """The sum in place of the mean."""
    return values if count() == 1 else tf.distribute.get_replica_context().all_reduce("sum", values)


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


def scope(strategy: tf.distribute.Strategy | None):
    """In which networks, optimisers and all else that a step changes are built."""
    return strategy.scope() if strategy else contextlib.nullcontext()


def settings(strategy: tf.distribute.Strategy | None) -> dict:
    """What a run's settings hold of it: batch statistics, and so the run, depend on how many replicas there are."""
    return {"replicas": strategy.num_replicas_in_sync} if strategy else {}


def require(possible: bool, what: str, devices: int) -> None:
    """Raise `UserError` where the replicas cannot share a batch; `what`: what cannot be, before their number."""
    if not possible:
        raise UserError(f"--strategy: {what} {devices} devices; hide some of them with CUDA_VISIBLE_DEVICES or take "
                        "fewer workers")


def require_equal_shares(batch_size: int, devices: int) -> None:
    """The same where not all of them get as many images."""
    require(batch_size % devices == 0, f"{batch_size} images cannot be shared by", devices)


def _has_other_workers(strategy: tf.distribute.Strategy | None) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def keeps_run(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether this process keeps the run for all workers: the first one."""
    return not _has_other_workers(strategy) or strategy.extended.should_checkpoint


@contextlib.contextmanager
def directory(strategy: tf.distribute.Strategy | None, shared: Path | None):
    """Where this process keeps a run whose directory is `shared`.

    The first worker keeps it there. Every other one does the same in a directory of its own, which begins with what
    there is to go on from (`shared` is None where there is nothing) and is removed at the end.
    """
    if keeps_run(strategy):
        yield shared
        return
    with tempfile.TemporaryDirectory() as own:
        there = [Path(shared, "settings.json"), *Path(shared, "resume").glob("ckpt-*")] if shared else []
        for path in there:
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
