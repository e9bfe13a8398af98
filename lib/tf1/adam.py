"""The state of TF1's Adam under the names that a TF1 `Saver` gives it."""

import math

import numpy as np

from lib import optimizers


class _BetaPower:
    """beta^(steps + 1), which TF1's Adam keeps as a variable; Keras counts the steps instead."""

    shape = ()

    def __init__(self, optimizer, beta: float):
        self._optimizer, self._beta = optimizer, beta
        self.path = optimizer.iterations.path

    def _by_steps(self) -> np.ndarray:
        """TF1's values, multiplied up in float32, until they vanish; subnormal numbers count as zero there."""
        tiny = np.finfo(np.float32).tiny
        count = int(1.01 * math.log(tiny) / math.log(self._beta)) + 2 if self._beta else 1
        powers = np.multiply.accumulate(np.full(count, self._beta, np.float32))
        return np.where(powers < tiny, np.float32(0.0), powers)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        powers = self._by_steps()
        return np.asarray(powers[min(int(self._optimizer.iterations.numpy()), len(powers) - 1)], dtype)

    def assign(self, power) -> None:
        """Set the number of steps, by beta_2's power: beta_1's fades too soon to tell it."""
        if self._beta == self._optimizer.beta_2:
            self._optimizer.iterations.assign(int(np.argmin(np.abs(self._by_steps() - power))))


def adam_variables(optimizer, names: dict, number: int = 0) -> dict:
    """What a TF1 `Saver` holds of an Adam: {TF1 name: variable}, for `write` and `assign`.

    Args:
      optimizer: a built Adam, or a loss scaling around one (of the scale, TF1 knows nothing).
      names: {TF1 name: variable}; those that it trains get two slots each.
      number: of TF1's optimisers in the order they were made, this one's place from 0.
    """
    optimizer = optimizers.adam_of(optimizer)
    # Keras has no public way from a variable to its slots.
    slots = {id(variable): moments for variable, *moments in zip(
        optimizer._trainable_variables, optimizer._momentums, optimizer._velocities, strict=True)}
    suffix = f"_{number}" if number else ""
    variables = {f"beta{i}_power{suffix}": _BetaPower(optimizer, beta)
                 for i, beta in ((1, optimizer.beta_1), (2, optimizer.beta_2))}
    for name, variable in names.items():
        if id(variable) in slots:
            variables |= zip((f"{name}/Adam", f"{name}/Adam_1"), slots[id(variable)])
    return variables
