"""Generated parts of hand-written Markdown files, between markers."""

import re
from pathlib import Path

from lib import files
from lib.errors import UserError, reason


def _between(kind: str, name: str) -> re.Pattern:
    return re.compile(rf"(<!-- {kind}:{name} -->\n).*?(<!-- /{kind}:{name} -->)", flags=re.DOTALL)


def read(path: Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error


def write_between_markers(path: Path, name: str, text: str, kind: str = "results") -> None:
    """Put text between `<!-- kind:name -->` and `<!-- /kind:name -->` of a file, if it has them."""
    old = read(path)
    new = _between(kind, name).sub(lambda found: f"{found[1]}{text}\n{found[2]}", old)
    if new != old:
        files.write_text(path, new)


def text_between_markers(path: Path, name: str, kind: str = "results") -> str:
    """What stands between the markers. Raises `UserError` if the file has none."""
    found = _between(kind, name).search(read(path))
    if not found:
        raise UserError(f"{path} has no place for {kind}:{name}")
    return found[0].partition("\n")[2].rpartition("\n")[0]
