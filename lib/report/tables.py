"""Tables: rows of text, and the same rows as Markdown or HTML."""

import html
import re
from collections.abc import Sequence
from typing import NamedTuple

NOT_RUN, NOT_TESTED, NONE = "not run", "not tested", "-"
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_LONGEST = 200  # characters of a value


class Table(NamedTuple):
    caption: str
    columns: list[str]
    rows: list[list[str]]


def number(value: float | None, missing: str = NONE) -> str:
    """With two decimals; a number of more than nine digits in the form 1.23e+45."""
    if value is None:
        return missing
    try:
        return f"{value:.2f}" if abs(value) < 1e9 else f"{float(value):.2e}"
    except OverflowError:  # an integer that no float holds
        return "inf" if value > 0 else "-inf"


def text(value) -> str:
    """A setting as a table shows it, in at most 200 characters."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    shown = f"{value:g}" if isinstance(value, float) else str(value) or NONE
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: int = 0) -> str:
    """Lines of a Markdown table, without the last line's end; the last `numeric` columns are aligned to the right."""
    def line(cells):
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    rule = ["---"] * (len(columns) - numeric) + ["---:"] * numeric
    return "\n".join(map(line, [columns, rule, *rows]))


def markdown_table(table: Table) -> str:
    return f"{table.caption}\n\n{markdown(table.columns, table.rows)}\n"


def html_table(table: Table) -> str:
    numeric = [any(map(_NUMBER.fullmatch, cells)) for cells in zip(*table.rows)] or [False] * len(table.columns)

    def cell(tag, content, is_numeric):
        kinds = ["number"] * is_numeric + ["absent"] * (content in (NOT_RUN, NOT_TESTED, NONE))
        return f'<{tag} class="{" ".join(kinds)}">{html.escape(content)}</{tag}>'

    def line(tag, cells):
        return f"<tr>{''.join(cell(tag, *pair) for pair in zip(cells, numeric))}</tr>"

    head, body = line("th", table.columns), "\n".join(line("td", row) for row in table.rows)
    return (f'<p class="caption">{html.escape(table.caption)}</p>\n<div class="table"><table>\n'
            f"<thead>{head}</thead>\n<tbody>\n{body}\n</tbody></table></div>")
