"""Looks into checkpoints of the TF1 programs and of this one, compares and converts them.

    python -m lib.tf1 list PREFIX                           its variables, with this port's name of each
    python -m lib.tf1 compare PREFIX PREFIX                 how far two checkpoints are from each other
    python -m lib.tf1 convert PREFIX DIRECTORY --model M    to Keras weights, a file per network ...
    python -m lib.tf1 convert DIRECTORY PREFIX --model M    ... and back; --like PREFIX where names depend on the run
"""

import argparse
import math
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Before TensorFlow starts: this needs no GPU, which a training may be using, and few of TensorFlow's notes.
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy as np

from lib import files, tf1
from lib.errors import UserError, reason
from lib.tf1 import models
from lib.tf1.files import temporary_directory


def _shape(value: np.ndarray) -> str:
    return "x".join(map(str, value.shape)) or "scalar"


def _print_columns(rows: list[tuple]) -> None:
    """One line per row, whose last cell may be as long as it likes."""
    widths = [max(len(row[i]) for row in rows if len(row) > i + 1) for i in range(max(map(len, rows)) - 1)]
    for *cells, last in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths)), last]))


def list_variables(prefix: str) -> int:
    """Print TF1 name, shape and this port's name of each variable."""
    values = tf1.read(prefix)
    name = models.recognise(values)
    ours = models.build(name, values).variables if name else {}
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
    ours, theirs = tf1.read(first), tf1.read(second)
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
    if tf1.exists(target) or Path(target).exists():
        raise UserError(f"{target} is there already; choose another path or remove it")
    files.make_directory(Path(target).parent)
    if tf1.exists(source):
        _to_keras(source, target, name)
    elif Path(source).is_dir():
        _from_keras(source, target, name, like)
    else:
        raise UserError(f"{source} is neither the prefix of a checkpoint (there is no {source}.index) nor a directory "
                        "of .weights.h5 files")
    return 0


def _to_keras(prefix: str, directory: str, name: str) -> None:
    model = models.build(name, tf1.read(prefix))
    tf1.assign(prefix, model.variables)
    with temporary_directory(Path(directory)) as temporary:
        size = 2 * sum(network.count_params() * 4 for network in model.networks.values())
        files.require_space(temporary, size, "Keras' weight files")
        for network_name, network in model.networks.items():
            network.save_weights(temporary / f"{network_name}.weights.h5")
        os.rename(temporary, directory)
    print(f"{directory}: {', '.join(f'{network}.weights.h5' for network in model.networks)}")


def _from_keras(directory: str, prefix: str, name: str, like: str) -> None:
    model = models.build(name, tf1.read(like) if like else None)
    for network_name, network in model.networks.items():
        path = Path(directory) / f"{network_name}.weights.h5"
        if not path.exists():
            raise UserError(f"no {path}; {name} needs {', '.join(model.networks)}, one .weights.h5 file each")
        try:
            network.load_weights(path)
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise UserError(f"{path} does not hold the {network_name} of {name}: {reason(error)}") from error
    tf1.write(prefix, model.variables)
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
    conversion = commands.add_parser("convert", help=(convert.__doc__ or "").partition("\n")[0])
    conversion.add_argument("source")
    conversion.add_argument("target")
    conversion.add_argument("--model", required=True, choices=models.known())
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
