"""The command line."""

import pytest

from lib.mergan.config import Config
from tests.process import passed, refused
from tests.report.conftest import write_run


def test_page_and_table_hold_the_same_figures(here, tmp_path, aligned):
    write_run(tmp_path / "plain", Config("mnist", 7))
    printed = passed(here.call("-m lib.report aligned plain --output out/page"))
    page, markdown = ((tmp_path / "out" / f"page.{kind}").read_text() for kind in ("html", "md"))
    # The paper's replay alignment on MNIST, ours, and a method that was not run.
    assert "| RA | aligned | 3 per task | 0 of 10 tasks | 98.19 | 50.00 | 97.01 | 45.00 |" in markdown
    assert "| SFT | plain | 7 per task | 0 of 10 tasks | 19.87 | not tested | 10.06 | not tested |" in markdown
    assert "| DGR | not run | - | - | 90.39 | not run | 85.40 | not run |" in markdown
    for cell in ("98.19", "50.00", "97.01", "45.00", "90.39", "not run", "not tested", "d-cost"):
        assert f">{cell}<" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "out/page.html" in printed and "out/page.md" in printed


@pytest.mark.parametrize("arguments, complaint", [
    ("", "no run given"), ("nowhere", "nowhere holds no run"), ("aligned .", "holds no run"),
    ("aligned --label 12", "--label 12"), ("aligned --labels 1", "labels")])
def test_a_wrong_command_line_is_one_line(here, aligned, arguments, complaint):
    assert complaint in refused(here.call(f"-m lib.report {arguments}"))
    assert not (here.path / "result").exists()
