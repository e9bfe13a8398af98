"""K training iterations in one graph: one call from Python instead of K."""

from typing import Callable, Sequence

import tensorflow as tf

from lib import device


def repeat(iteration: Callable, names: Sequence[str], *batches: tf.TensorSpec, given: int = 0) -> Callable:
    """A graph of K batches, what is given and the number of the first, which returns {quantity: float32 [K]}.

    Args:
      iteration: (one batch of each kind, what is given, its number int32 []) -> {quantity: scalar}, at least those of
        `names`.
      names: the quantities that are kept.
      batches: the form of one batch of each kind, without the axis of the K iterations.
      given: how many numbers int32 [] all iterations are given, as that of the task.
    """
    stacked = [tf.TensorSpec([None, *batch.shape], batch.dtype) for batch in batches]

    @device.graph(input_signature=[*stacked, *[tf.TensorSpec([], tf.int32)] * (given + 1)])
    def iterate(*arguments):
        many, numbers, first = arguments[:len(batches)], arguments[len(batches):-1], arguments[-1]
        count = tf.shape(many[0])[0]

        def one(k, history):
            values = iteration(*(kind[k] for kind in many), *numbers, first + k)
            return {name: array.write(k, tf.cast(values[name], tf.float32)) for name, array in history.items()}

        history = looped(count, one, {name: tf.TensorArray(tf.float32, count) for name in names})
        return {name: array.stack() for name, array in history.items()}

    return iterate


def looped(count, step: Callable, start):
    """What `count` steps (number from 0, what the step before gave) -> the like give, the first one from `start`."""
    _, last = tf.while_loop(lambda k, _: k < count, lambda k, before: (k + 1, step(k, before)), (0, start))
    return last


def advancing(iterate: Callable, take: Callable, *given: int, at_once: int | None = None) -> Callable:
    """The runner's `advance` of what `repeat` made: (first, count) -> {quantity: {iteration: value}}.

    Args:
      take: (first, count) -> the batches of so many iterations, one array [count, ...] of each kind.
      given: the numbers that all iterations are given.
      at_once: iterations whose batches lie in memory together; None: all that the runner asks for.
    """

    def advance(first: int, count: int) -> dict[str, dict[int, float]]:
        history: dict[str, dict[int, float]] = {}
        for start in range(first, first + count, at_once or count):
            size = min(at_once or count, first + count - start)
            for name, column in iterate(*map(tf.constant, (*take(start, size), *given, start))).items():
                history.setdefault(name, {}).update(enumerate(map(float, column.numpy()), start))
        return history

    return advance
