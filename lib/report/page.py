"""The report as one HTML file that needs no other, and its tables as Markdown."""

import base64
import html
from typing import NamedTuple

from lib.report.tables import Table, html_table, markdown_table


class Figure(NamedTuple):
    caption: str
    data: bytes
    kind: str  # "png", "gif", "svg+xml"


class Section(NamedTuple):
    title: str
    text: str  # what is to be seen
    figures: list[Figure] = ()
    tables: list[Table] = ()


class Chapter(NamedTuple):
    """What concerns one group of runs that can be compared."""

    title: str
    sections: list[Section]


_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 82rem; padding: 1rem; color: #222; background: #fff;
       font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.35rem; margin-top: 2.5rem; }
h3 { font-size: 1.1rem; margin: 2rem 0 .3rem; } p { max-width: 50rem; margin: .3rem 0 .8rem; }
nav { font-size: .9rem; } nav a { margin-right: .9rem; white-space: nowrap; }
.figures { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; } figure img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #444; margin-top: .2rem; }
.table { overflow-x: auto; margin-bottom: 1.2rem; }
table { border-collapse: collapse; font-size: .9rem; } .caption { font-size: .9rem; color: #444; margin: 0; }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: #f4f4f4; font-weight: 600; } .number { text-align: right;
  font-variant-numeric: tabular-nums; } td { white-space: nowrap; } td.absent { color: #777; font-style: italic; }
"""


def html_page(title: str, chapters: list[Chapter]) -> str:
    body = "\n".join(_chapter(number, chapter) for number, chapter in enumerate(chapters, 1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{html.escape(title)}</h1>
{body}
</body>
</html>
"""


def _chapter(number: int, chapter: Chapter) -> str:
    anchored = {f"section-{number}-{i}": section for i, section in enumerate(chapter.sections, 1)}
    contents = "\n".join(f'<a href="#{anchor}">{html.escape(section.title)}</a>'
                         for anchor, section in anchored.items())
    return "\n".join([f"<h2>{html.escape(chapter.title)}</h2>\n<nav>{contents}</nav>",
                      *(_section(anchor, section) for anchor, section in anchored.items())])


def _section(anchor: str, section: Section) -> str:
    figures = "\n".join(map(_figure, section.figures))
    return "\n".join([f'<section id="{anchor}">\n<h3>{html.escape(section.title)}</h3>\n'
                      f"<p>{html.escape(section.text)}</p>", *map(html_table, section.tables),
                      f'<div class="figures">\n{figures}\n</div>' if figures else "", "</section>"])


def _figure(figure: Figure) -> str:
    caption, data = html.escape(figure.caption), base64.b64encode(figure.data).decode()
    return (f'<figure><img alt="{caption}" src="data:image/{figure.kind};base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>")


def markdown_page(title: str, chapters: list[Chapter]) -> str:
    """The tables of the page."""
    parts = [f"# {title}\n"]
    for chapter in chapters:
        parts += [f"## {chapter.title}\n"]
        parts += [markdown_table(table) for section in chapter.sections for table in section.tables]
    return "\n".join(parts)
