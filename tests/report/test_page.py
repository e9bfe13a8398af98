"""The page is well formed, needs no other file and escapes what it is given."""

import base64
from html.parser import HTMLParser

from lib.report import page
from lib.report.tables import Table

TABLE = Table("figures", ["run", "figure"], [["a", "1.50"]])
CHAPTERS = [page.Chapter("one <system>", [
    page.Section("A & B", "see <here>", [page.Figure('"quoted"', b"\x89PNG", "png")], [TABLE]),
    page.Section("C", "nothing")]), page.Chapter("two", [page.Section("A & B", "text")])]


class Elements(HTMLParser):

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_closed_and_complete():
    elements = Elements(page.html_page("title", CHAPTERS))
    assert not elements.open
    assert {"title", "one <system>", "A & B", "see <here>", "nothing", "1.50"} <= set(elements.text)
    tags = [tag for tag, _ in elements.found]
    assert "script" not in tags and "link" not in tags
    (image,) = [attributes for tag, attributes in elements.found if tag == "img"]
    data = base64.b64encode(b"\x89PNG").decode()
    assert image == {"alt": '"quoted"', "src": f"data:image/png;base64,{data}"}


def test_every_link_leads_to_one_section():
    elements = Elements(page.html_page("title", CHAPTERS)).found
    anchors = [attributes["id"] for tag, attributes in elements if tag == "section"]
    assert [attributes["href"] for tag, attributes in elements if tag == "a"] == [f"#{anchor}" for anchor in anchors]
    assert len(set(anchors)) == 3


def test_markdown_holds_the_tables():
    text = page.markdown_page("title", CHAPTERS)
    assert text.startswith("# title\n") and "| a | 1.50 |" in text and "## two" in text
