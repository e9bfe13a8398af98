"""Models in the original's checkpoints `models/<name>.cpkt`: one of ours holds one model, one of TF1's all of a run."""

import re
from pathlib import Path

from lib import tf1
from lib.errors import UserError
from lvae.fork import Model

_NUMBER = re.compile(r"vae(\d+)_")


def _renumbered(name: str, number: int) -> str:
    """The name prefix of another model of the same run."""
    return _NUMBER.sub(f"vae{number}_", name, count=1)


def newest(prefix: Path, model: Model) -> int:
    """Number of the last fork among the models in a checkpoint that are of the same run as `model`.

    Raises:
      UserError: unreadable, or there is no such model: says which there are.
    """
    found = {name.partition("/")[0] for name in tf1.read(prefix)}
    numbers = [int(match[1]) for name in found if (match := _NUMBER.match(name))
               and _renumbered(model.prefix, int(match[1])) == name]
    if not numbers:
        raise UserError(f"{prefix} does not fit these networks: it holds {', '.join(sorted(found))}, not "
                        f"{model.prefix}; the names tell the flags and the script to use")
    return max(numbers)


def restore(prefix: Path, model: Model) -> None:
    """Weights, moving statistics and Adam's state from a checkpoint of either program, earlier models left aside.

    Raises:
      UserError: unreadable, or not of such a model: names what does not fit.
    """
    number = int(_NUMBER.match(model.prefix)[1])
    tf1.assign(prefix, model.variables(), tuple(f"{_renumbered(model.prefix, earlier)}/" for earlier in range(number)))
