"""Command lines as TF 1.4 parsed them, from settings: `--flag value`, `--flag=value`, `--noflag`, unique abbreviations.

TF 1.4's flags were argparse's, so argparse it is here, too. Nothing global: a `Parser` makes of a list of arguments an
`Asked`, and an `Asked` makes dataclasses.
"""

import argparse
import dataclasses
import difflib
import sys
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib import files
from lib.errors import UserError
from lib.run import provenance
from lib.run.settings import FilePath, flag_of, settings_of, spelled

_TRUE, _FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError("is neither True nor False")
    return text.lower() in _TRUE


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("is not a whole number") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _reader(flag: str, kind: Any):
    """What makes a value of type `kind` from its text, or says what is wrong with it."""
    kinds = [one for one in typing.get_args(kind) if one is not type(None)] or [kind]
    known = {bool: _boolean, int: _whole, float: _real, str: str}
    parse = _words if typing.get_origin(kind) is tuple else known.get(kinds[0]) or kinds[0].parse

    def read(text: str):
        try:
            return parse(text)
        except ValueError as error:
            raise UserError(f"--{flag}={text}: {error}; see --help") from error

    return read


class Asked:
    """What a command line asks for."""

    def __init__(self, given: dict[str, Any], paths: list[str]):
        self._given = given
        self.paths = paths  # the arguments that are no flags

    def given(self, kind: type) -> dict[str, Any]:
        """{field: value} of the settings of `kind` that the command line names."""
        return {name: self._given[flag_of(field)] for name, (field, _) in settings_of(kind).items()
                if flag_of(field) in self._given}

    def values(self, kind: type) -> dict[str, Any]:
        """{field: value} of all settings of `kind`, those that were not given at their defaults."""
        defaults = {name: field.default if about.unless_given is None else about.unless_given
                    for name, (field, about) in settings_of(kind).items()}
        return defaults | self.given(kind)

    def of(self, kind: type, **fixed) -> Any:
        """A dataclass of these settings; `fixed`: what the script itself decides."""
        return kind(**(self.values(kind) | fixed))

    def completed(self, kind: type, settings: Path) -> "Asked":
        """What is not given is as in a run's `settings.json`, as far as there is such a file.

        Raises:
          UserError: a value that the flag of this name would not take.
        """
        stored, hints = files.read_json(settings, dict) if settings.is_file() else {}, typing.get_type_hints(kind)
        known = {}
        for name, (field, _) in settings_of(kind).items():
            if stored.get(name) is not None:
                try:
                    known[flag_of(field)] = _reader(flag_of(field), hints[name])(spelled(stored[name]))
                except UserError as error:
                    raise UserError(f"{settings} is not what training writes: {error}") from error
        return Asked(known | self._given, self.paths)

    def flag(self, name: str) -> bool:
        """Whether a switch made by `Parser.add_switch` is on."""
        return self._given.get(name, False)


class _ArgumentParser(argparse.ArgumentParser):

    def error(self, message):
        raise UserError(f"{message}; see --help")


class _ShowVersions(argparse.Action):

    def __call__(self, parser, namespace, values, option_string=None):
        print("\n".join(f"{name} {version}" for name, version in provenance.versions().items()))
        parser.exit()


class Parser:
    """The flags of one script.

    Args:
      description: the script's docstring, which `--help` begins with.
      paths: what arguments that are no flags stand for; "": there must be none.
    """

    def __init__(self, description: str, paths: str = ""):
        usage = f"%(prog)s [--flag value]...{f' {paths}...' if paths else ''}"
        self._parser = _ArgumentParser(description=description, usage=usage, allow_abbrev=False, add_help=False,
                                       formatter_class=argparse.RawDescriptionHelpFormatter)
        self._groups = {original: self._parser.add_argument_group(title) for original, title in
                        ((True, "flags of the original"), (False, "flags of this program"))}
        self._groups[False].add_argument("-h", "--help", action="help", help="Show this and exit.")
        self._groups[False].add_argument("--version", action=_ShowVersions, nargs=0,
                                         help="Show the versions of this program and its libraries, and exit.")
        self._flags = {True: [], False: ["help", "version"]}
        self._rows = {True: [], False: []}
        self._paths = paths

    def add(self, kind: type, without: Sequence[str] = ()) -> "Parser":
        """Give the settings of a dataclass their flags, but for those named."""
        hints = typing.get_type_hints(kind)
        for name, (field, about) in settings_of(kind).items():
            if name not in without:
                self._add(flag_of(field), hints[name], about.help, _default(field), about.choices, about.original)
        return self

    def add_switch(self, name: str, help: str, original: bool = False) -> "Parser":
        """A switch that is no setting of its own: False unless given."""
        self._add(name, bool, help, "False", None, original)
        return self

    def _add(self, flag: str, kind: Any, help: str, default: str, choices, original: bool) -> None:
        known = f" One of {', '.join(map(str, choices))}." if choices else ""
        shown = f"{help}{known} (default: {default or 'none'})"
        options = {"dest": flag, "default": argparse.SUPPRESS, "type": _reader(flag, kind)}
        if kind is bool:
            self._parser.add_argument(f"--no{flag}", dest=flag, default=argparse.SUPPRESS, action="store_false",
                                      help=argparse.SUPPRESS)
            options |= {"nargs": "?", "const": True}
        self._groups[original].add_argument(f"--{flag}", help=shown.replace("%", "%%"), metavar=_metavar(kind),
                                            **options)
        self._flags[original].append(flag)
        known = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        self._rows[original].append([f"`--{flag}`", default or "none", help + known])

    def rows(self, original: bool) -> list[list[str]]:
        """(flag, default, meaning) of the original's flags, or of this program's own, for a README."""
        return [list(row) for row in self._rows[original]]

    def parse(self, arguments: Sequence[str]) -> Asked:
        """
        Raises:
          UserError: a value that is none, an abbreviation of several flags, an argument that is no flag.
        """
        known, rest = self._parser.parse_known_args([self._spelled_out(argument) for argument in arguments])
        paths = self._pass_over_unknown(rest)
        if paths and not self._paths:
            raise UserError(f"unexpected argument {paths[0]!r}: flags start with --; see --help")
        return Asked(vars(known), paths)

    def _spelled_out(self, argument: str) -> str:
        """An abbreviated flag in full. The original's flags come first: `--data` is `--dataset`, not `--data_dir`."""
        if not argument.startswith("-") or argument in ("-h", "-", "--"):
            return argument
        name, equals, value = argument.lstrip("-").partition("=")
        every = [*self._flags[True], *self._flags[False]]
        if name in every or name.removeprefix("no") in every:
            return f"--{name}{equals}{value}"
        for flags in (self._flags[True], every):
            candidates = [flag for flag in flags if flag.startswith(name)]
            if len(candidates) == 1:
                return f"--{candidates[0]}{equals}{value}"
            if candidates:
                raise UserError(f"--{name} may be {' or '.join(f'--{flag}' for flag in candidates)}; write it in full")
        return argument

    def _pass_over_unknown(self, rest: list[str]) -> list[str]:
        """Name the unknown flags, which TF 1.4 ignored, with the value behind each; returns what else is there."""
        paths, unknown = [], []
        for position, argument in enumerate(rest):
            if argument.startswith("--") or _is_value_of_unknown(rest, position):
                unknown.append(argument)
            else:
                paths.append(argument)
        if unknown:
            every = [*self._flags[True], *self._flags[False]]
            near = difflib.get_close_matches(unknown[0].lstrip("-").partition("=")[0], every, 1)
            meant = f" (--{near[0]}?)" if near else ""
            print(f"warning: no such flag, passed over: {' '.join(unknown)}{meant}", file=sys.stderr)
        return paths


def _is_value_of_unknown(rest: list[str], position: int) -> bool:
    return position > 0 and rest[position - 1].startswith("--") and "=" not in rest[position - 1]


def _metavar(kind: Any) -> str:
    return {bool: "True|False", str: "TEXT", FilePath: "PATH", int: "N", float: "X"}.get(kind, "VALUE")


def _default(field: dataclasses.Field) -> str:
    about = field.metadata["setting"]
    value = field.default if about.unless_given is None else about.unless_given
    if value is None:
        return "the data set's own"
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) and not hasattr(value, "parse") else str(value)
