"""Resume points: everything a run needs to go on, beside the settings that made it."""

import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lib import files
from lib.errors import UserError, reason
from lib.tf1 import verify
from lib.tf1.files import complete, plainly_named

_KEEP = 2  # the newest, and one to fall back on
_POINT = re.compile(r"ckpt-(\d+)\.index")
_UNREADABLE = (tf.errors.OpError, OSError, AssertionError, ValueError)


def _variables(part):
    """A layer or model as the list of all its variables, a Keras variable as TensorFlow's, anything else as it is.

    `tf.train.Checkpoint` follows attributes, but not into the lists in which Keras keeps a layer's parts: what lies
    there (blocks, moving averages, a frozen network's weights) would be left out without a word.
    """
    if isinstance(part, keras.layers.Layer):
        return [variable.value for variable in part.variables]
    return part.value if isinstance(part, keras.Variable) else part


def _not_finite(part) -> list[str]:
    """Names of the variables of a model, optimiser, list or variable that hold a NaN or an infinity."""
    if isinstance(part, (list, tuple)):
        return [name for element in part for name in _not_finite(element)]
    if hasattr(part, "variables"):
        return _not_finite(part.variables)
    if not tf.as_dtype(part.dtype).is_floating or np.isfinite(np.asarray(part)).all():
        return []
    return [getattr(part, "path", part.name)]


class ResumePoints:
    """Saves and restores named trackables with the position (phase, iteration) of the run.

    Args:
      directory: the run's directory; the points lie in `resume/` under it.
      state: name -> Keras model, optimiser, variable, list of them, or a trackable with a list `variables`; all built.
    """

    def __init__(self, directory: Path, state: dict):
        self.phase = tf.Variable(0, dtype=tf.int64)
        self.iteration = tf.Variable(0, dtype=tf.int64)
        self.note = tf.Variable("", dtype=tf.string)  # what the loop wants to find again
        self._directory = Path(directory) / "resume"
        self._state = state
        self._checkpoint = tf.train.Checkpoint(
            phase=self.phase, iteration=self.iteration, note=self.note,
            **{name: _variables(part) for name, part in state.items()})
        self._number = self._checkpoint.save_counter

    def _points(self) -> dict[int, Path]:
        """Prefixes by number, the newest first. A point is there when its index is."""
        numbered = {int(match[1]): path.with_suffix("") for path in self._directory.glob("*.index")
                    if (match := _POINT.fullmatch(path.name))}
        return dict(sorted(numbered.items(), reverse=True))

    @property
    def standing(self) -> str:
        """Where a run that failed now goes on, in words."""
        if self._points():
            return f"the last resume point in {self._directory.parent} is from before"
        return f"there is no resume point in {self._directory.parent} yet"

    def restore(self) -> bool:
        """Go to the newest point that can be read; False where there is none."""
        points = self._points()
        for number, point in points.items():
            try:
                verify.check(point)
                with plainly_named(point) as plain:
                    self._checkpoint.read(str(plain)).assert_consumed()
                self._number.assign(number)
                return True
            except _UNREADABLE as error:
                print(f"cannot resume from {point} ({reason(error)[:120]}); trying the one before")
        if points:
            raise UserError(f"no resume point in {self._directory} can be read; "
                            "choose another result path to start again")
        return False

    def save(self, phase: int, iteration: int, note: str = "") -> None:
        """Write a point: `iteration` iterations of `phase` are done.

        Raises:
          UserError: no space, or numbers that are not finite; the points written before are still there.
        """
        bad = [f"{name} ({', '.join(found[:3])})" for name, part in self._state.items() if (found := _not_finite(part))]
        if bad:
            raise UserError(f"a NaN or infinity in {'; '.join(bad)} of phase {phase} after iteration {iteration}; "
                            f"stopped, {self.standing}; start anew with another --seed or other settings")
        self.note.assign(note)
        self.phase.assign(phase)
        self.iteration.assign(iteration)
        self._number.assign_add(1)
        files.make_directory(self._directory)
        with complete(self._directory / f"ckpt-{int(self._number)}") as temporary:
            self._checkpoint.write(str(temporary))
        self._remove_others()

    def _remove_others(self) -> None:
        """All points but the newest ones; unreadable ones that were newer, too."""
        kept = range(int(self._number) - _KEEP + 1, int(self._number) + 1)
        for number, point in self._points().items():
            if number not in kept:
                # The index first: without it, what is left is no point.
                for path in sorted(point.parent.glob(f"{point.name}.*"), key=lambda path: path.suffix != ".index"):
                    path.unlink()
