"""Checkpoint files in TF1's own form: variables by name, as the original programs write and read them."""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from lib import files
from lib.errors import UserError, reason
from lib.tf1 import verify


def write(prefix: Path, values: dict, meta: bool = False) -> None:
    """Write {TF1 name: array or variable} as `prefix`.index and .data, and list it in the directory's `checkpoint`.

    A TF1 `Saver` whose variables have these names restores the file. Either all of it is there in the end or nothing.

    Args:
      meta: also `prefix`.meta, for TF1's `import_meta_graph`: a graph of these variables and their `Saver`.
    """
    prefix, names = Path(prefix), sorted(values)
    with complete(prefix) as temporary:
        if meta:
            files.write_bytes(Path(f"{temporary}.meta"), _meta_graph(values))
        tf.raw_ops.SaveV2(prefix=str(temporary), tensor_names=names, shape_and_slices=[""] * len(names),
                          tensors=[tf.convert_to_tensor(values[name]) for name in names])
    _list_in_directory(prefix)


def _meta_graph(values: dict) -> bytes:
    """A TF1 `MetaGraphDef` of variables with these names, types and shapes, and of a `Saver` of them."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        for name, value in values.items():
            shape, dtype = tf.TensorShape(np.shape(value)), tf.as_dtype(getattr(value, "dtype", np.float32))
            v1.get_variable(name, shape, dtype, v1.zeros_initializer(), trainable=False, use_resource=False)
        saver = v1.train.Saver(v1.global_variables())
        return v1.train.export_meta_graph(graph=graph, saver_def=saver.saver_def).SerializeToString(deterministic=True)


@contextlib.contextmanager
def complete(prefix: Path):
    """Yield a temporary prefix; a checkpoint written there is at `prefix` when the block ends without an error."""
    with temporary_directory(prefix) as directory:
        yield directory / prefix.name
        # By the index a checkpoint is found: an old one goes first, the new one comes last.
        Path(f"{prefix}.index").unlink(missing_ok=True)
        for path in sorted(directory.iterdir(), key=lambda path: path.suffix == ".index"):
            files.to_disk(path)
            os.replace(path, prefix.parent / path.name)
        files.to_disk(prefix.parent)


@contextlib.contextmanager
def temporary_directory(target: Path):
    """A directory beside `target` for what is to become it."""
    directory = files.temporary_path(target)
    # In a container, a process that was killed may have had the same number.
    shutil.rmtree(directory, ignore_errors=True)
    try:
        directory.mkdir()
        yield directory
    except (OSError, RuntimeError, tf.errors.OpError) as error:  # RuntimeError: HDF5 on a full disk
        raise files.cannot_write(target, error) from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _list_in_directory(newest: Path) -> None:
    """Update the text file `checkpoint`, by which `tf.train.latest_checkpoint` finds its way."""
    there = [path for path in newest.parent.glob("*.index") if path.exists()]  # a dangling link is not
    by_age = sorted(there, key=lambda path: path.stat().st_mtime_ns)
    others = [path.stem for path in by_age if path.stem != newest.name]
    lines = [f'model_checkpoint_path: "{newest.name}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in (*others, newest.name)]
    files.write_text(newest.parent / "checkpoint", "\n".join(lines) + "\n")


def keep_newest(directory: Path, count: int) -> list[str]:
    """Remove all but the newest `count` checkpoints `<name>-<number>`, by their numbers; returns the removed names."""
    found = {path.stem: int(number) for path in Path(directory).glob("*-*.index")
             if (number := path.stem.rpartition("-")[2]).isdigit()}
    names = sorted(found, key=found.get)
    removed = names[:-count]
    for name in removed:
        # The index first: without it, what is left is no checkpoint.
        parts = [path for path in Path(directory).iterdir() if path.name.startswith(f"{name}.")]
        for path in sorted(parts, key=lambda path: path.suffix != ".index"):
            path.unlink()
    if removed:
        _list_in_directory(Path(directory) / names[-1])
    return removed


@contextlib.contextmanager
def plainly_named(prefix: Path):
    """Yield a prefix of the same checkpoint that TensorFlow does not take for a pattern, as it does `run[1]/model`."""
    prefix = Path(prefix)
    if not set(str(prefix)) & set("[]*?{}\\"):
        yield prefix
        return
    with tempfile.TemporaryDirectory() as directory:
        for path in prefix.parent.iterdir():
            if path.name.startswith(f"{prefix.name}."):
                Path(directory, f"model{path.name.removeprefix(prefix.name)}").symlink_to(path.resolve())
        yield Path(directory, "model")


def exists(prefix: Path) -> bool:
    return Path(f"{prefix}.index").exists()


def read(prefix: Path) -> dict[str, np.ndarray]:
    """{TF1 name: array} of a checkpoint that either program wrote.

    Raises:
      UserError: there is none, a damaged one, or one in the form that TensorFlow wrote before 0.12.
    """
    if not exists(prefix) and Path(prefix).is_file():
        raise UserError(f"{prefix} is one file, as checkpoints of TensorFlow's old V1 format are; convert it with "
                        "TensorFlow: restore it by a tf.compat.v1.train.Saver of its variables and save it by another "
                        "one, whose write_version is V2 unless told otherwise")
    try:
        verify.check(prefix)
        with plainly_named(prefix) as plain:
            reader = tf.train.load_checkpoint(str(plain))
            return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        raise UserError(f"cannot read the checkpoint {prefix}: {reason(error)}; a prefix is a path without .index or "
                        ".data") from error


def assign(prefix: Path, variables: dict, beside: tuple[str, ...] = ()) -> None:
    """Give {TF1 name: variable} the values of a checkpoint, all or none of them: names and shapes must be the same.

    A whole number that none of the networks has, such as a `global_step`, is named and passed over.

    Args:
      beside: prefixes of variables that the checkpoint may hold besides.
    """
    values = {name: value for name, value in read(prefix).items() if not name.startswith(beside)}
    counters = [name for name in sorted(values.keys() - variables.keys())
                if values[name].shape == () and values[name].dtype.kind in "iu"]
    for name in counters:
        del values[name]
    misfits = [f"missing {name}" for name in sorted(variables.keys() - values.keys())]
    misfits += [f"unknown {name}" for name in sorted(values.keys() - variables.keys())]
    misfits += [f"{name} is {list(values[name].shape)} there, {list(variable.shape)} here"
                for name, variable in sorted(variables.items())
                if name in values and tuple(values[name].shape) != tuple(variable.shape)]
    if misfits:
        raise UserError(f"{prefix} does not fit these networks, so it is of another program, data set or size: "
                        f"{'; '.join(misfits)}")
    _refuse_other_than_numbers(prefix, {name: values[name] for name in variables})
    if counters:
        print(f"note: {prefix}: passed over {', '.join(counters)}, which belongs to no network", file=sys.stderr)
    for name, variable in variables.items():
        variable.assign(values[name])


def _refuse_other_than_numbers(prefix: Path, values: dict[str, np.ndarray]) -> None:
    """A network of NaN still gives figures, plausible ones at times."""
    texts = [name for name, value in values.items() if value.dtype.kind in "OSUc"]
    if texts:
        raise UserError(f"{prefix} holds text or complex numbers in {', '.join(texts[:3])}, where real numbers belong; "
                        "it is of another program")
    bad = [name for name, value in values.items() if not np.isfinite(value.astype(np.float64)).all()]
    if bad:
        raise UserError(f"{prefix} holds NaN or infinity in {', '.join(bad[:3])} ({len(bad)} of {len(values)} "
                        "variables): its training diverged; take an earlier checkpoint or train again")
