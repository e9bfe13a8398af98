"""Adam as TF1 computes it, and its reset between tasks."""

import keras


def adam(learning_rate: float, beta_1: float, beta_2: float, variables) -> keras.optimizers.Adam:
    """TF1's Adam (epsilon 1e-8 beside the uncorrected root) with its slots already made for `variables`."""
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=1e-8)
    optimizer.build(variables)
    return optimizer


def reset(optimizer: keras.optimizers.Optimizer) -> None:
    """Forget all moments and the step count; the learning rate stays."""
    for variable in optimizer.variables:
        if variable.name != "learning_rate":
            variable.assign(keras.ops.zeros_like(variable))


def slots(optimizer: keras.optimizers.Adam, variables) -> list[tuple[keras.Variable, keras.Variable]]:
    """(first moment, second moment) of each of the variables that the optimiser was built for, in their order."""
    # Keras lists the step count and the learning rate, then both moments of one variable after the other.
    moments = optimizer.variables[2:]
    return [pair for _, pair in zip(variables, zip(moments[0::2], moments[1::2], strict=True), strict=True)]
