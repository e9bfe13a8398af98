"""Checkpoints in TF1's own form: variables by name, as the original programs write and read them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files
from lib.errors import UserError

# What a TF1 `Saver` keeps for an optimiser; no network needs it.
_OPTIMIZER = ("beta1_power", "beta2_power")


def _of_optimizer(name: str) -> bool:
    return name.startswith(_OPTIMIZER) or "/Adam" in name


def write(prefix: Path, values: dict) -> None:
    """Write {TF1 name: array or variable} as `prefix`.index and .data, and list it in the directory's `checkpoint`.

    A TF1 `Saver` whose variables have these names restores the file.
    """
    prefix = str(prefix)
    names = sorted(values)
    try:
        tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names),
                          tensors=[tf.convert_to_tensor(values[name]) for name in names])
    except tf.errors.OpError as error:
        raise UserError(f"cannot write {prefix}: {error.message}; free some space or choose another path") from error
    _list_in_directory(Path(prefix))


def _list_in_directory(newest: Path) -> None:
    """Update the text file `checkpoint`, by which `tf.train.latest_checkpoint` finds its way."""
    by_age = sorted(newest.parent.glob("*.index"), key=lambda path: path.stat().st_mtime_ns)
    others = [path.stem for path in by_age if path.stem != newest.name]
    lines = [f'model_checkpoint_path: "{newest.name}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in (*others, newest.name)]
    files.write_text(newest.parent / "checkpoint", "\n".join(lines) + "\n")


def exists(prefix: Path) -> bool:
    return Path(f"{prefix}.index").exists()


def read(prefix: Path) -> dict[str, np.ndarray]:
    """{TF1 name: array} of a checkpoint that either program wrote."""
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:  # IndexError: a truncated .data file
        raise UserError(f"cannot read the checkpoint {prefix}: {str(error).splitlines()[0]}") from error


def assign(prefix: Path, variables: dict) -> None:
    """Give {TF1 name: variable} the values of a checkpoint; names and shapes must fit, Adam's slots aside."""
    values = {name: value for name, value in read(prefix).items() if not _of_optimizer(name)}
    misfits = [f"missing {name}" for name in sorted(variables.keys() - values.keys())]
    misfits += [f"unknown {name}" for name in sorted(values.keys() - variables.keys())]
    misfits += [f"{name} is {list(values[name].shape)} there, {list(variable.shape)} here"
                for name, variable in sorted(variables.items())
                if name in values and tuple(values[name].shape) != tuple(variable.shape)]
    if misfits:
        raise UserError(f"{prefix} does not fit these networks: {'; '.join(misfits)}")
    for name, variable in variables.items():
        variable.assign(values[name])
