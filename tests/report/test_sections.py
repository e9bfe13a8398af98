"""What is shown of runs whatever they learned."""

from lib import pictures
from lib.mergan.config import Config
from lib.report import runs, sections
from lib.report.page import Figure
from tests.report.conftest import write_run


def drawn_curves(monkeypatch, found, begins=lambda run: ()) -> dict:
    charts = {}
    monkeypatch.setattr(pictures, "line_chart", lambda chart: charts.update({chart.ylabel: chart}) or b"")
    sections.curves(found, begins)
    return charts


def test_curves_without_single_values_are_the_means_of_the_log(aligned, monkeypatch):
    charts = drawn_curves(monkeypatch, runs.read_all([aligned]))
    assert {name: [(line.label, line.x, line.y) for line in chart.lines] for name, chart in charts.items()} == {
        "d-cost": [("aligned", [0, 2], [-1.5, -2.5])], "g-cost": [("aligned", [2], [4.0])]}


def test_single_values_stand_behind_their_means_and_phases_are_marked(aligned, monkeypatch):
    (aligned / "log.jsonl").write_text(
        '{"step": 3, "means": {"a": 2.0, "b": 5.0}, "values": {"a": {"2": 1.0, "3": 3.0}, "b": {"3": 5.0}}}\n')
    charts = drawn_curves(monkeypatch, runs.read_all([aligned]), lambda run: [2])
    assert [(line.label, line.x, line.y, line.faint) for line in charts["a"].lines] == [
        ("", [2, 3], [1.0, 3.0], True), ("aligned", [3], [2.0], False)]
    assert [line.label for line in charts["b"].lines] == ["aligned"] and charts["b"].marks == [2]


def test_runs_without_a_figure_are_named(tmp_path, aligned):
    found = runs.read_all([aligned, write_run(tmp_path / "_other", Config("mnist", 3))])
    section = sections.of_runs("title", "text.", found, lambda run: [Figure("x", b"", "png")] * (run.name == "aligned"),
                               "nothing there")
    assert section.text == "text. Not shown: _other (nothing there)." and len(section.figures) == 1


def test_settings_are_split_into_different_and_common_ones(tmp_path, aligned):
    plain = write_run(tmp_path / "plain", Config("mnist", 7))
    different, common = sections.settings(runs.read_all([aligned, plain])).tables
    assert sorted(different.rows) == [["alignment_factor", "0.001", "0.0001"], ["iterations", "3", "7"],
                                      ["replay_alignment", "yes", "no"]]
    assert ["batch_size", "64"] in common.rows and ["load_model", "-"] in common.rows


def test_one_run_has_all_its_settings_in_one_table(aligned):
    (table,) = sections.settings(runs.read_all([aligned])).tables
    assert ["alignment_factor", "0.001"] in table.rows


def test_settings_within_settings_have_lines_of_their_own(aligned):
    (run,) = runs.read_all([aligned])
    run = run._replace(settings={"architecture": {"body": "dense", "sizes": [5, 6]}, "rotate": []})
    (table,) = sections.settings([run]).tables
    assert table.rows == [["architecture: body", "dense"], ["architecture: sizes", "5, 6"], ["rotate", "-"]]


def test_provenance_says_where_a_run_lies_and_how_far_it_is(aligned):
    (table,) = sections.provenance(runs.read_all([aligned])).tables
    assert table.rows[0][:3] == ["aligned", "MeRGAN", str(aligned)] and table.rows[0][4:] == ["2"] + 6 * ["-"]
