"""Steps on several devices: each replica computes on its share of the batch, gradients add up, reports are averaged.

Batches and noise are drawn whole, as on one device, and shared out inside the step. Outside of a strategy there is one
replica, and its share is everything.
"""

import tensorflow as tf


def count() -> int:
    """How many replicas compute the present step."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def share(whole: tf.Tensor, axis: int = 0) -> tf.Tensor:
    """This replica's consecutive part of a tensor; parts differ by one where the size cannot be divided."""
    replicas = count()
    if replicas == 1:
        return whole
    number = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
    start, stop = (whole.shape[axis] * n // replicas for n in (number, number + 1))
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
