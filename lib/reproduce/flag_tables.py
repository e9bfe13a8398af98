"""Write the tables of flags of the systems' READMEs anew, from the settings.

    python -m lib.reproduce.flag_tables

It imports no TensorFlow. A test compares the tables with the settings.
"""

from pathlib import Path

from lib import errors, systems
from lib.report.tables import markdown
from lib.reproduce.markers import write_between_markers
from lib.reproduce.scripts import ROOT
from lib.run.flags import Parser


def readme(system: str) -> Path:
    """The README of a system, which lies in its package."""
    return ROOT / systems.SYSTEMS[system].replace(".", "/") / "README.md"


def flag_table(system: str) -> str:
    """Markdown: flag, default and meaning of all flags that the scripts of a system have, the original's first."""
    parsers = systems.part(system, "command_line").parsers().values()
    lines = []
    for original, title in ((True, "**of the original**"), (False, "**of this program**")):
        rows = {row[0]: row for parser in parsers for row in parser.rows(original)}
        lines += [[title, "", ""], *rows.values()]
    return markdown(["flag", "default", "meaning"], lines).replace("<", "&lt;")


def main(arguments: list[str]) -> None:
    Parser(__doc__).parse(arguments)
    for system in systems.SYSTEMS:
        write_between_markers(readme(system), system, flag_table(system), kind="flags")


if __name__ == "__main__":
    errors.run(main)
