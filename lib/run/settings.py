"""A setting is said once, as one field of a dataclass: name, type, default, meaning, bounds and flag.

From the field come its flag and help (`lib.run.flags`), its check (`Checked`), its line in `settings.json` and its row
in the READMEs' tables.

    latent_size: int = setting(20, "Dimensions of the continuous latent variable.", least=1)
"""

import dataclasses
import math
import numbers
import os
from collections.abc import Sequence
from typing import Any

from lib.errors import UserError

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


class FilePath(str):
    """A path as a user writes it."""

    @staticmethod
    def parse(text: str) -> "FilePath":
        """`~` becomes the home directory. Raises `ValueError` for a name that TensorFlow cannot be told."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError("the name is not UTF-8, which TensorFlow cannot open; rename it or link to it") from error
        return FilePath(os.path.expanduser(text))


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a field knows of itself."""

    help: str
    flag: str  # its spelling on the command line
    kind: Any  # the field's type
    default: Any
    unless_given: Any  # what the flag stands for where it is not given
    least: float | None = None
    most: float | None = None
    choices: tuple | None = None  # of the value, or of each element of a tuple
    original: bool = False  # whether the TF1 program has the flag


def setting(default: Any, help: str, *, flag: str = "", least: float | None = None, most: float | None = None,
            choices: Sequence | None = None, original: bool = False, unless_given: Any = None) -> Any:
    """A dataclass field that is a setting.

    Args:
      default: None stands for the data set's own value, which the system's `make_config` fills in.
      flag: its spelling on the command line; "": the field's name.
      least, most: bounds that may be reached; numbers have to be finite in any case.
      choices: the only values.
      original: the TF1 program has this flag, so its abbreviations come first.
      unless_given: what the flag stands for where it is not given, if that is not the default.
    """
    about = Setting(help, flag, Any, default, default if unless_given is None else unless_given, least, most,
                    tuple(choices) if choices else None, original)
    return dataclasses.field(default=default, metadata={"setting": about})


def settings_of(kind: type) -> dict[str, Setting]:
    """The fields of a dataclass that are settings, by name."""
    return {field.name: dataclasses.replace(about, flag=about.flag or field.name, kind=field.type)
            for field in dataclasses.fields(kind) if (about := field.metadata.get("setting"))}


@dataclasses.dataclass(frozen=True)
class Checked:
    """A dataclass whose settings are checked when it is made.

    Raises:
      UserError: names the flag, the value and what it has to be.
    """

    def __post_init__(self):
        for name, about in settings_of(type(self)).items():
            value = getattr(self, name)
            wrong = _wrong(about, value)
            if wrong:
                raise UserError(f"--{about.flag}={spelled(value)}: {wrong}")


def of_stored(kind: type, stored: dict) -> Any:
    """A dataclass from what a `settings.json` holds of it: other entries are passed over, lists become tuples.

    Raises:
      UserError: values that training did not write.
    """
    known = {field.name for field in dataclasses.fields(kind)}
    try:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
                       if name in known})
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"settings that training did not write ({error})") from error


def spelled(value) -> str:
    """As a command line has it."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _wrong(about: Setting, value) -> str:
    """What is wrong with a value; "" if nothing is. Values from a file may be of any type."""
    if value is None:
        return "" if about.default is None else "has to be given"
    if about.choices:
        values = value if isinstance(value, tuple) else (value,)
        unknown = [str(one) for one in values if one not in about.choices]
        return f"{', '.join(unknown)} is not one of {', '.join(map(str, about.choices))}" if unknown else ""
    if isinstance(value, (int, float)) and not math.isfinite(value):
        return "has to be a finite number"
    if (about.least, about.most) != (None, None) and not isinstance(value, numbers.Real):
        return "has to be a number"
    if about.least is not None and value < about.least:
        return f"has to be at least {about.least:g}"
    if about.most is not None and value > about.most:
        return f"has to be at most {about.most:g}"
    return ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common(Checked):
    """The settings that every system's `Config` has."""

    seed: int = setting(0, "Same seed, same run.", least=0, most=2**31 - 1)
    precision: str = setting(
        "float32", "What the layers compute in; weights, statistics and costs stay float32. auto: float32 on a CPU, "
        "mixed on a GPU that is made for it.", choices=("auto", *PRECISIONS), unless_given="auto")
    tf1_exact: bool = setting(False, "Bring back the original's deterministic accidents, see the table of differences "
                                     "in the system's README.")
