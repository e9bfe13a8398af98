"""Generated parts of hand-written Markdown files, between markers."""

import re
from pathlib import Path

from lib import files
from lib.errors import UserError, reason


def read(path: Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error


def write_between_markers(path: Path, name: str, text: str, kind: str = "results") -> None:
    """Put text between `<!-- kind:name -->` and `<!-- /kind:name -->` of a file, if it has them."""
    old = read(path)
    new = re.sub(rf"(<!-- {kind}:{name} -->\n).*?(<!-- /{kind}:{name} -->)",
                 lambda found: f"{found[1]}{text}\n{found[2]}", old, flags=re.DOTALL)
    if new != old:
        files.write_text(path, new)
