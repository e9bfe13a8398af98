"""What a TF1 program does with checkpoints: a plain graph, reference variables, a `Saver` over all of them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def save(prefix: Path, values: dict[str, np.ndarray]) -> None:
    """Write a checkpoint of variables that have these names and values."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default(), tf1.Session() as session:
        for name, value in values.items():
            tf1.get_variable(name, initializer=tf.constant(value), use_resource=False)
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(prefix))


def restore(prefix: Path, shapes: dict[str, tuple], dtypes=None) -> dict[str, np.ndarray]:
    """Restore variables of these names and shapes, float32 unless `dtypes` says otherwise; returns their values."""
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = {name: tf1.get_variable(name, shape, (dtypes or {}).get(name, tf.float32), use_resource=False)
                     for name, shape in shapes.items()}
        tf1.train.Saver().restore(session, str(prefix))
        return session.run(variables)
