"""Adam as TF1 computes it, and its reset between tasks."""

from typing import Any, Callable

import keras
import numpy as np
import tensorflow as tf

from lib.run import replicas


class _Adam(keras.optimizers.Adam):
    """Keras' Adam where replicas share a batch; elsewhere TensorFlow's own kernel, TF1's.

    The kernel does in one pass over a variable what Keras does in a dozen. Gradients are never summed over replicas
    here: who makes them averages them (`replicas.mean`). And TensorFlow keeps the graph around a sum over replicas,
    even over one, with every variable that the graph captures, until the process ends: a run that builds its networks
    anew from task to task would never let go of the old ones.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return grads_and_vars

    def _backend_update_step(self, gradients, variables, learning_rate):
        if tf.distribute.has_strategy():
            super()._backend_update_step(gradients, variables, learning_rate)
            return
        dtype, step = variables[0].dtype, self.iterations + 1
        rate, beta_1, beta_2, epsilon, step = (
            tf.cast(value, dtype) for value in (learning_rate, self.beta_1, self.beta_2, self.epsilon, step))
        powers = tf.pow(beta_1, step), tf.pow(beta_2, step)
        for gradient, variable in zip(gradients, variables, strict=True):
            number = self._get_variable_index(variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle, m=self._momentums[number].value.handle,
                v=self._velocities[number].value.handle, beta1_power=powers[0], beta2_power=powers[1], lr=rate,
                beta1=beta_1, beta2=beta_2, epsilon=epsilon, grad=tf.cast(gradient, dtype))


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


def descend(optimizer: keras.optimizers.Optimizer, model: keras.Model, costs: Callable[[], tuple[tf.Tensor, Any]]):
    """One update of a network's weights, by the mean of all replicas' gradients.

    Args:
      costs: makes (the scalar that is to become smaller, anything that is to be returned); it is watched.
    """
    variables = model.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        total, report = costs()
        scaled = optimizer.scale_loss(total)
    # Zeros for what the cost does not reach: a class head that is not used stays where it is.
    gradients = tape.gradient(scaled, [variable.value for variable in variables],
                              unconnected_gradients=tf.UnconnectedGradients.ZERO)
    # The gradient of a class table is a list of rows, one per sample, whose squares Keras would not sum per class.
    optimizer.apply(replicas.mean([tf.convert_to_tensor(gradient) for gradient in gradients]), variables)
    return report
