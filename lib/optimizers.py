"""Adam as TF1 computes it, and its reset between tasks."""

import keras
import numpy as np
import tensorflow as tf


class _Adam(keras.optimizers.Adam):
    """Keras' Adam, but for sums over replicas where there are none.

    TensorFlow keeps the graph around such a sum, and with it every variable that the graph captures, until the process
    ends: a run that builds its networks anew from task to task would never let go of the old ones.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return super()._all_reduce_sum_gradients(grads_and_vars) if tf.distribute.has_strategy() else grads_and_vars


def adam(learning_rate: float, beta_1: float, beta_2: float, variables, precision: str = "float32",
         epsilon: float = 1e-8) -> keras.optimizers.Optimizer:
    """TF1's Adam (its epsilon beside the uncorrected root) with its slots already made for `variables`.

    In `mixed_float16` it scales the cost up before the gradients are taken, so that small ones survive; give every
    cost through its `scale_loss`.
    """
    if any(variable.dtype == "float64" for variable in variables):
        # Keras rounds a learning rate and plain numbers to float32 on their way into the update, NumPy's doubles not.
        rate, beta_1, beta_2 = np.float64(learning_rate), np.float64(beta_1), np.float64(beta_2)
        learning_rate = lambda: rate
    # Keras would make the name from the class's, which begins as no outermost name in a graph may.
    optimizer = _Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, name="adam")
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(variables)
    return optimizer


def adam_of(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The Adam itself, where a loss scaling may be around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def reset(optimizer: keras.optimizers.Optimizer) -> None:
    """Forget all moments and the step count; the learning rate stays, and so does the scale of a loss scaling."""
    for variable in adam_of(optimizer).variables:
        if variable.name != "learning_rate":
            variable.assign(keras.ops.zeros_like(variable))
