"""The command line, in this process."""

import pytest

from lib.errors import UserError
from lib.mergan.config import Config
from lib.report.__main__ import main
from tests.report.conftest import write_run


def test_page_and_table_hold_the_same_figures(tmp_path, aligned, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "plain", Config("mnist", 7))
    main(["aligned", "plain", "--output", "out/page"])
    page, markdown = ((tmp_path / "out" / f"page.{kind}").read_text() for kind in ("html", "md"))
    # The paper's replay alignment on MNIST, ours, and a method that was not run.
    assert "| RA | aligned | 3 per task | 0 of 10 tasks | 98.19 | 50.00 | 97.01 | 45.00 |" in markdown
    assert "| SFT | plain | 7 per task | 0 of 10 tasks | 19.87 | not tested | 10.06 | not tested |" in markdown
    assert "| DGR | not run | - | - | 90.39 | not run | 85.40 | not run |" in markdown
    for cell in ("98.19", "50.00", "97.01", "45.00", "90.39", "not run", "not tested", "d-cost"):
        assert f">{cell}<" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert capsys.readouterr().out.splitlines()[-2:] == ["out/page.html", "out/page.md"]


@pytest.mark.parametrize("arguments, complaint", [
    ([], "no run given"), (["nowhere"], "nowhere holds no run"), (["aligned", "."], "holds no run"),
    (["aligned", "--label", "12"], "--label 12"), (["aligned", "--label", "-1"], "--label=-1"),
    (["aligned", "--tsne_samples", "few"], "tsne_samples")])
def test_a_wrong_command_line_is_one_line(tmp_path, aligned, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=complaint) as error:
        main(arguments)
    assert "\n" not in str(error.value) and not (tmp_path / "result").exists()


def test_names_and_numbers_of_any_kind_make_a_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = b"_x\x01\xfe<&$".decode("utf-8", "surrogateescape")
    directory = write_run(tmp_path / name, Config("digits", 3, alignment_factor=1e300))
    (directory / "log.jsonl").write_text(
        '{"step": 1, "means": {"a\\u0007": 1e999, "b": NaN, "c": 1' + "0" * 400 + ', "d": "text"}, "values": {}}\n'
        '{"step": 2, "means": {"a\\u0007": -1e308, "b": 1, "c": 1, "d": null}, "values": {}}\n')
    main([name, "--output", "page"])
    assert "_x\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}&lt;&amp;$" in (tmp_path / "page.html").read_text()
