"""Command lines as TF 1.4 parsed them, from settings: `--flag value`, `--flag=value`, `--noflag`, unique abbreviations.

TF 1.4's flags were argparse's, so argparse it is here, too. Nothing global: a `Parser` makes of a list of arguments an
`Asked`, and an `Asked` makes dataclasses.
"""

import argparse
import difflib
import functools
import sys
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib import files
from lib.errors import UserError
from lib.run import provenance
from lib.run.settings import FilePath, Setting, settings_of, spelled

_TRUE, _FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")
_WRONG = {bool: "is neither True nor False", int: "is not a whole number", float: "is not a number"}


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _read(about: Setting, text: str) -> Any:
    """A setting's value from its text. Raises `UserError` that says what is wrong with it."""
    kind = next((one for one in typing.get_args(about.kind) if one is not type(None)), about.kind)
    known = {bool: _boolean, int: int, float: float, str: str}
    parse = _words if typing.get_origin(about.kind) is tuple else known.get(kind) or kind.parse
    try:
        return parse(text)
    except ValueError as error:
        raise UserError(f"--{about.flag}={text}: {_WRONG.get(kind, error)}; see --help") from error


class Asked:
    """What a command line asks for."""

    def __init__(self, given: dict[str, Any], paths: list[str]):
        self._given = given
        self.paths = paths  # the arguments that are no flags

    def given(self, kind: type) -> dict[str, Any]:
        """{field: value} of the settings of `kind` that the command line names."""
        return {name: self._given[about.flag] for name, about in settings_of(kind).items() if about.flag in self._given}

    def values(self, kind: type) -> dict[str, Any]:
        """{field: value} of all settings of `kind`, those that were not given at their defaults."""
        return {name: self._given.get(about.flag, about.unless_given) for name, about in settings_of(kind).items()}

    def of(self, kind: type, **fixed) -> Any:
        """A dataclass of these settings; `fixed`: what the script itself decides."""
        return kind(**(self.values(kind) | fixed))

    def completed(self, kind: type, settings: Path) -> "Asked":
        """What is not given is as in a run's `settings.json`, as far as there is such a file.

        Raises:
          UserError: a value that the flag of this name would not take.
        """
        stored = files.read_json(settings, dict) if settings.is_file() else {}
        try:
            known = {about.flag: _read(about, spelled(stored[name])) for name, about in settings_of(kind).items()
                     if stored.get(name) is not None}
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
        self._settings: list[Setting] = []
        self._paths = paths

    def add(self, kind: type, without: Sequence[str] = ()) -> "Parser":
        """Give the settings of a dataclass their flags, but for those named."""
        for name, about in settings_of(kind).items():
            if name not in without:
                self._add(about)
        return self

    def add_switch(self, name: str, help: str, original: bool = False) -> "Parser":
        """A switch that is no setting of its own: False unless given."""
        self._add(Setting(help, name, bool, False, False, original=original))
        return self

    def _add(self, about: Setting) -> None:
        options = {"dest": about.flag, "default": argparse.SUPPRESS, "metavar": _metavar(about.kind)}
        if about.kind is bool:
            self._parser.add_argument(f"--no{about.flag}", dest=about.flag, default=argparse.SUPPRESS,
                                      action="store_false", help=argparse.SUPPRESS)
            options |= {"nargs": "?", "const": True}
        shown = f"{_meaning(about)} (default: {_default(about)})".replace("%", "%%")
        self._groups[about.original].add_argument(f"--{about.flag}", type=functools.partial(_read, about), help=shown,
                                                  **options)
        self._settings.append(about)

    def rows(self, original: bool) -> list[list[str]]:
        """(flag, default, meaning) of the original's flags, or of this program's own, for a README."""
        return [[f"`--{about.flag}`", _default(about), _meaning(about, "`")] for about in self._settings
                if about.original == original]

    def _flags(self) -> list[str]:
        return ["help", "version", *(about.flag for about in self._settings)]

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
        if {name, name.removeprefix("no")} & {*self._flags()}:
            return f"--{name}{equals}{value}"
        for flags in ([about.flag for about in self._settings if about.original], self._flags()):
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
            near = difflib.get_close_matches(unknown[0].lstrip("-").partition("=")[0], self._flags(), 1)
            meant = f" (--{near[0]}?)" if near else ""
            print(f"warning: no such flag, passed over: {' '.join(unknown)}{meant}", file=sys.stderr)
        return paths


def _is_value_of_unknown(rest: list[str], position: int) -> bool:
    return position > 0 and rest[position - 1].startswith("--") and "=" not in rest[position - 1]


def _metavar(kind: Any) -> str:
    return {bool: "True|False", str: "TEXT", FilePath: "PATH", int: "N", float: "X"}.get(kind, "VALUE")


def _meaning(about: Setting, quote: str = "") -> str:
    choices = ", ".join(f"{quote}{choice}{quote}" for choice in about.choices or ())
    return f"{about.help} One of {choices}." if choices else about.help


def _default(about: Setting) -> str:
    value = about.unless_given
    if value is None:
        return "the data set's own"
    if isinstance(value, float):
        return f"{value:g}"
    return (str(value) if hasattr(value, "parse") else spelled(value)) or "none"
