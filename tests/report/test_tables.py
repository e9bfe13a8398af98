"""Tables against text written by hand."""

from lib.report import tables
from lib.report.tables import Table

TABLE = Table("two <runs>", ["run", "figure"], [["a|b", "1.50"], ["<c>", "not run"]])


def test_markdown():
    assert tables.markdown_table(TABLE) == ("two <runs>\n\n| run | figure |\n| --- | --- |\n"
                                            "| a&#124;b | 1.50 |\n| <c> | not run |\n")


def test_html_escapes_and_aligns_numbers():
    text = tables.html_table(TABLE)
    assert "two &lt;runs&gt;" in text and '<td class="">&lt;c&gt;</td>' in text
    assert '<td class="number">1.50</td>' in text and '<td class="number absent">not run</td>' in text


def test_numbers_that_are_too_large_for_a_table():
    assert tables.number(None) == "-" and tables.number(1.005e8) == "100500000.00"
    assert [tables.number(value) for value in (1e300, -10**400, float("nan"))] == ["1.00e+300", "-inf", "nan"]
    assert len(tables.text("x" * 1000)) == 203 and tables.text([]) == "-" and tables.text([1, 2]) == "1, 2"


def test_columns_of_numbers_are_aligned_to_the_right():
    assert tables.markdown(["a", "b"], [["x", "1"]], numeric=1) == "| a | b |\n| --- | ---: |\n| x | 1 |"
