"""Resume points: everything a run needs to go on, beside the settings that made it."""

from pathlib import Path

import keras
import tensorflow as tf

from lib import files
from lib.errors import UserError

_KEEP = 2  # the newest, and one to fall back on


def check_settings(directory: Path, settings: dict) -> bool:
    """True if `directory` holds a run with these very settings, False if it is free; else `UserError`."""
    path = Path(directory) / "settings.json"
    if not path.exists():
        foreign = sorted(entry.name for entry in Path(directory).iterdir() if not entry.name.startswith("."))
        if foreign:
            raise UserError(f"{directory} holds files of another program or run ({', '.join(foreign[:3])}); "
                            "choose another result path or move them away")
        return False
    stored = files.read_json(path)
    differing = [f"{name}: {stored.get(name)} there, {settings.get(name)} asked"
                 for name in sorted(stored.keys() | settings.keys()) if stored.get(name) != settings.get(name)]
    if differing:
        raise UserError(f"{directory} holds a run with other settings ({'; '.join(differing)}); "
                        "choose another result path")
    return True


def _variables(part):
    """A layer or model as the list of all its variables, a Keras variable as TensorFlow's, anything else as it is.

    `tf.train.Checkpoint` follows attributes, but not into the lists in which Keras keeps a layer's parts: what lies
    there (blocks, moving averages, a frozen network's weights) would be left out without a word.
    """
    if isinstance(part, keras.layers.Layer):
        return [variable.value for variable in part.variables]
    return part.value if isinstance(part, keras.Variable) else part


class ResumePoints:
    """Saves and restores named trackables with the position (phase, iteration) of the run.

    Args:
      directory: the run's directory; the points lie in `resume/` under it.
      state: name -> Keras model, optimiser or variable, all built.
    """

    def __init__(self, directory: Path, state: dict):
        self.phase = tf.Variable(0, dtype=tf.int64)
        self.iteration = tf.Variable(0, dtype=tf.int64)
        self.note = tf.Variable("", dtype=tf.string)  # what the loop wants to find again
        self._checkpoint = tf.train.Checkpoint(
            phase=self.phase, iteration=self.iteration, note=self.note,
            **{name: _variables(part) for name, part in state.items()})
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(Path(directory) / "resume"), _KEEP)

    def restore(self) -> bool:
        """Go to the newest point that can be read; False where there is none."""
        points = self._manager.checkpoints[::-1]
        for point in points:
            try:
                self._checkpoint.restore(point).assert_consumed()
                return True
            except (tf.errors.OpError, AssertionError, ValueError) as error:
                print(f"cannot resume from {point} ({str(error).splitlines()[0][:120]}); trying the one before")
        if points:
            raise UserError(f"no resume point in {self._manager.directory} can be read; "
                            "choose another result path to start again")
        return False

    def save(self, phase: int, iteration: int, note: str = "") -> None:
        """Write a point: `iteration` iterations of `phase` are done."""
        self.note.assign(note)
        self.phase.assign(phase)
        self.iteration.assign(iteration)
        try:
            self._manager.save()
        except tf.errors.OpError as error:
            raise UserError(f"cannot write to {self._manager.directory}: {error.message}; "
                            "free some space and start the same command again") from error
