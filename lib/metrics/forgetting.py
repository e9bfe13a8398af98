"""What learning one class after the other costs the old ones, from the accuracy of each class after each task.

All take a matrix float [T, T]: row i is after task i, column j the accuracy in 0..1 of the class of task j. What lies
above the diagonal, classes not learned yet, is not looked at: a generator has no images of them.
"""

import numpy as np


def average_accuracy(matrix: np.ndarray) -> float:
    """Mean over the classes after the last task: ACC of Lopez-Paz & Ranzato 2017, eq. 2."""
    return float(np.mean(matrix[-1]))


def backward_transfer(matrix: np.ndarray) -> float:
    """Mean change of the old classes since each was learned, below 0 where they are forgotten: BWT, their eq. 3.

    Avalanche's `forgetting` is minus this. Needs two tasks.
    """
    return float(np.mean((matrix[-1] - np.diag(matrix))[:-1]))


def forgetting(matrix: np.ndarray) -> float:
    """Mean fall of the old classes from the best that each ever was: F of Chaudhry et al. 2018, eq. 3; -1..1.

    Needs two tasks.
    """
    best = [np.max(matrix[task:-1, task]) for task in range(len(matrix) - 1)]
    return float(np.mean(best - matrix[-1, :-1]))
