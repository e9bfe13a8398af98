"""Checkpoints in TF1's own form: variables by name, as the original programs write and read them.

    python -m lib.tf1 list PREFIX                           its variables, with this port's name of each
    python -m lib.tf1 compare PREFIX PREFIX                 how far two checkpoints are from each other
    python -m lib.tf1 convert PREFIX DIRECTORY --model M    to Keras weights, a file per network ...
    python -m lib.tf1 convert DIRECTORY PREFIX --model M    ... and back; --like PREFIX where names depend on the run
"""

import argparse
import contextlib
import math
import os
import shutil
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Before TensorFlow starts: this needs no GPU, which a training may be using, and few of TensorFlow's notes.
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy as np
import tensorflow as tf

from lib import bundle, files, interchange, optimizers
from lib.data.bounded import reason
from lib.errors import UserError

# --- files ------------------------------------------------------------------------------------------------------------


def write(prefix: Path, values: dict) -> None:
    """Write {TF1 name: array or variable} as `prefix`.index and .data, and list it in the directory's `checkpoint`.

    A TF1 `Saver` whose variables have these names restores the file. Either all of it is there in the end or nothing.
    """
    prefix, names = Path(prefix), sorted(values)
    with complete(prefix) as temporary:
        tf.raw_ops.SaveV2(prefix=str(temporary), tensor_names=names, shape_and_slices=[""] * len(names),
                          tensors=[tf.convert_to_tensor(values[name]) for name in names])
    _list_in_directory(prefix)


@contextlib.contextmanager
def complete(prefix: Path):
    """Yield a temporary prefix; a checkpoint written there is at `prefix` when the block ends without an error."""
    with _temporary_directory(prefix) as directory:
        yield directory / prefix.name
        # By the index a checkpoint is found: an old one goes first, the new one comes last.
        Path(f"{prefix}.index").unlink(missing_ok=True)
        for path in sorted(directory.iterdir(), key=lambda path: path.suffix == ".index"):
            os.replace(path, prefix.parent / path.name)


@contextlib.contextmanager
def _temporary_directory(target: Path):
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
        bundle.check(prefix)
        reader = tf.train.load_checkpoint(str(prefix))
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, OSError, ValueError, RuntimeError) as error:
        raise UserError(f"cannot read the checkpoint {prefix}: {reason(error)}; a prefix is a path without .index or "
                        ".data") from error


def assign(prefix: Path, variables: dict, beside: tuple[str, ...] = ()) -> None:
    """Give {TF1 name: variable} the values of a checkpoint, all or none of them: names and shapes must be the same.

    Args:
      beside: how the names begin of what the checkpoint may hold, too, and is not asked for.
    """
    values = {name: value for name, value in read(prefix).items() if not name.startswith(beside)}
    misfits = [f"missing {name}" for name in sorted(variables.keys() - values.keys())]
    misfits += [f"unknown {name}" for name in sorted(values.keys() - variables.keys())]
    misfits += [f"{name} is {list(values[name].shape)} there, {list(variable.shape)} here"
                for name, variable in sorted(variables.items())
                if name in values and tuple(values[name].shape) != tuple(variable.shape)]
    if misfits:
        raise UserError(f"{prefix} does not fit these networks, so it is of another program, data set or size: "
                        f"{'; '.join(misfits)}")
    for name, variable in variables.items():
        variable.assign(values[name])


# --- Adam -------------------------------------------------------------------------------------------------------------


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
        return np.asarray(powers[min(int(self._optimizer.iterations), len(powers) - 1)], dtype)

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


# --- tool -------------------------------------------------------------------------------------------------------------


def _shape(value: np.ndarray) -> str:
    return "x".join(map(str, value.shape)) or "scalar"


def _print_columns(rows: list[tuple]) -> None:
    """One line per row, whose last cell may be as long as it likes."""
    widths = [max(len(row[i]) for row in rows if len(row) > i + 1) for i in range(max(map(len, rows)) - 1)]
    for *cells, last in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths)), last]))


def list_variables(prefix: str) -> int:
    """Print TF1 name, shape and this port's name of each variable."""
    values = read(prefix)
    name = interchange.recognise(values)
    ours = interchange.build(name, values).variables if name else {}
    _print_columns([("variable", "shape", "here"),
                    *((key, _shape(values[key]), ours[key].path if key in ours else "-") for key in sorted(values))])
    print(f"{len(values)} variables of {name or 'a model that is not known here'}")
    return 0


def largest_differences(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The largest |a - b| and the largest |a - b| / max(|a|, |b|) of two arrays of one shape; text is inf apart."""
    if "O" in (ours.dtype.kind, theirs.dtype.kind):
        return (0.0, 0.0) if np.array_equal(ours, theirs) else (math.inf, math.inf)
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    a, b = a[differs], b[differs]
    absolute = np.abs(a - b)
    with np.errstate(invalid="ignore"):  # inf / inf
        relative = absolute / np.maximum(np.abs(a), np.abs(b))
    return float(np.max(absolute, initial=0.0)), float(np.max(relative, initial=0.0))


def compare(first: str, second: str) -> int:
    """Print how far each variable of one checkpoint is from the other's; 1 if names or shapes differ, else 0."""
    ours, theirs = read(first), read(second)
    rows, misfits, largest = [("variable", "absolute", "relative")], 0, (0.0, 0.0)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            rows.append((name, f"only in {first if name in ours else second}"))
        elif ours[name].shape != theirs[name].shape:
            rows.append((name, f"{_shape(ours[name])} in {first}, {_shape(theirs[name])} in {second}"))
        else:
            differences = largest_differences(ours[name], theirs[name])
            rows.append((name, *(f"{difference:.3e}" for difference in differences)))
            # Not `max`, which may pass over a NaN.
            largest = tuple(np.maximum(largest, differences))
            continue
        misfits += 1
    _print_columns(rows)
    print(f"{len(rows) - 1} variables, largest difference {largest[0]:.3e} absolute, {largest[1]:.3e} relative; "
          f"{misfits} differ in name or shape")
    return int(misfits > 0)


def convert(source: str, target: str, name: str, like: str = "") -> int:
    """Write a checkpoint's networks as Keras weights `target`/<network>.weights.h5, or a checkpoint from such files.

    The Adam state of a joint training's checkpoint has no place in Keras weights; made from them, it is that of an
    Adam before its first step.
    """
    if exists(target) or Path(target).exists():
        raise UserError(f"{target} is there already; choose another path or remove it")
    files.make_directory(Path(target).parent)
    if exists(source):
        _to_keras(source, target, name)
    elif Path(source).is_dir():
        _from_keras(source, target, name, like)
    else:
        raise UserError(f"{source} is neither the prefix of a checkpoint (there is no {source}.index) nor a directory "
                        "of .weights.h5 files")
    return 0


def _to_keras(prefix: str, directory: str, name: str) -> None:
    model = interchange.build(name, read(prefix))
    assign(prefix, model.variables)
    with _temporary_directory(Path(directory)) as temporary:
        for network_name, network in model.networks.items():
            network.save_weights(temporary / f"{network_name}.weights.h5")
        os.rename(temporary, directory)
    print(f"{directory}: {', '.join(f'{network}.weights.h5' for network in model.networks)}")


def _from_keras(directory: str, prefix: str, name: str, like: str) -> None:
    model = interchange.build(name, read(like) if like else None)
    for network_name, network in model.networks.items():
        path = Path(directory) / f"{network_name}.weights.h5"
        if not path.exists():
            raise UserError(f"no {path}; {name} needs {', '.join(model.networks)}, one .weights.h5 file each")
        try:
            network.load_weights(path)
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise UserError(f"{path} does not hold the {network_name} of {name}: {reason(error)}") from error
    write(prefix, model.variables)
    print(f"{prefix}: {len(model.variables)} variables")


class _Parser(argparse.ArgumentParser):

    def error(self, message):
        raise UserError(f"{message}; see --help")


def _parse(arguments) -> argparse.Namespace:
    parser = _Parser(prog="python -m lib.tf1", description=__doc__,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|compare|convert")
    listing = commands.add_parser("list", help=list_variables.__doc__)
    listing.add_argument("prefix", help="path of a checkpoint without .index or .data")
    comparison = commands.add_parser("compare", help=compare.__doc__)
    comparison.add_argument("first")
    comparison.add_argument("second")
    conversion = commands.add_parser("convert", help=convert.__doc__.splitlines()[0])
    conversion.add_argument("source")
    conversion.add_argument("target")
    conversion.add_argument("--model", required=True, choices=interchange.MODELS)
    conversion.add_argument("--like", default="", metavar="PREFIX", help="checkpoint whose variables' names and shapes "
                            "the new one gets; lvae-* need it, for theirs depend on the run")
    return parser.parse_args(arguments)


def main(arguments=None) -> int:
    try:
        asked = _parse(arguments)
        if asked.command == "list":
            return list_variables(asked.prefix)
        if asked.command == "compare":
            return compare(asked.first, asked.second)
        return convert(asked.source, asked.target, asked.model, asked.like)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `list | head`
    sys.exit(main())
