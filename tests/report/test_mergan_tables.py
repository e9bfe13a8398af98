"""Tables against rows written by hand, and the picture beside them."""

import numpy as np

from lib.mergan.config import Config
from lib.mergan.report import tables
from lib.mergan.report.gallery import Gallery
from lib.mergan.tables import MeRGAN
from lib.report.sections import pixels
from tests.report.conftest import METRICS, mergan_runs, write_run

PAPER = {"source": "a paper", "table1_accuracy_percent": {"mnist": {
    "5_tasks": {"JT": 97.66, "RA": 98.19}, "10_tasks": {"JT": 96.92, "RA": 97.0}}}, "table2_lsun_after_4_tasks": {}}
SCENES = {"source": "a paper", "table1_accuracy_percent": {}, "table2_lsun_after_4_tasks": {
    "accuracy_percent": {"SFT": 15.02}, "reverse_accuracy_percent": {"SFT": 28.0}, "FID": {"SFT": 110.12}}}


def test_our_figures_stand_beside_the_published_ones(tmp_path, aligned):
    untested = write_run(tmp_path / "plain", Config("mnist", 7))
    table = tables.comparison(mergan_runs([untested, aligned]), PAPER)
    assert table.columns == [
        "method", "run", "iterations", "checkpoints",
        "published: accuracy [%] after 5 tasks", "ours: accuracy [%] after 5 tasks",
        "published: accuracy [%] after 10 tasks", "ours: accuracy [%] after 10 tasks"]
    assert table.rows == [
        ["JT", "not run", "-", "-", "97.66", "not run", "96.92", "not run"],
        ["SFT", "plain", "7 per task", "0 of 10 tasks", "-", "not tested", "-", "not tested"],
        ["RA", "aligned", "3 per task", "0 of 10 tasks", "98.19", "50.00", "97.00", "45.00"]]
    assert "a paper" in table.caption


def test_the_iterations_are_those_that_were_tested(tmp_path):
    run = write_run(tmp_path / "joint", Config("mnist", 40001, joint=True), METRICS)
    assert tables.comparison(mergan_runs([run]), PAPER).rows[0][:3] == ["JT", "joint", "3 in all"]


def test_measures_are_compared_under_their_full_names_only(tmp_path):
    tested = {"dataset": "lsun", "iterations": 2, "seed": 0, "tasks": [
        {"task": 4, "average_accuracy": 0.2, "reverse_accuracy": 0.3, "FID (lsun classifier features)": 12.345}]}
    run = write_run(tmp_path / "scenes", Config("lsun", 2), tested)
    table = tables.comparison(mergan_runs([run]), SCENES)
    assert dict(zip(table.columns[4:], table.rows[0][4:])) == {
        "published: accuracy [%] after 4 tasks": "15.02", "ours: accuracy [%] after 4 tasks": "20.00",
        "published: reverse accuracy [%] after 4 tasks": "28.00", "ours: reverse accuracy [%] after 4 tasks": "30.00",
        "published: FID (Inception-v3) after 4 tasks": "110.12", "ours: FID (Inception-v3) after 4 tasks": "-",
        "ours: FID (lsun classifier features) after 4 tasks": "12.35"}


def test_without_published_figures_the_caption_says_so(tmp_path):
    table = tables.comparison(mergan_runs([write_run(tmp_path / "small", Config("digits", 2))]), PAPER)
    assert table.rows == [["SFT", "small", "2 per task", "0 of 10 tasks", "not tested"]]
    assert "Nothing is published" in table.caption


def test_two_runs_of_one_method_and_a_combination_have_rows_of_their_own(tmp_path):
    first = write_run(tmp_path / "a", Config("mnist", 2, joint_replay=True))
    second = write_run(tmp_path / "b", Config("mnist", 4, joint_replay=True))
    both = write_run(tmp_path / "c", Config("mnist", 2, joint_replay=True, replay_alignment=True))
    rows = tables.comparison(mergan_runs([both, first, second]), PAPER).rows
    assert [row[:3] for row in rows] == [["JT", "not run", "-"], ["JTR", "a", "2 per task"], ["JTR", "b", "4 per task"],
                                         ["RA", "not run", "-"], ["JTR + RA", "c", "2 per task"]]


def test_the_comparison_has_the_papers_numbers_of_tasks_and_the_last(tmp_path):
    def tested(name, dataset, last):
        tasks = [{"task": task, "average_accuracy": task / 10} for task in range(1, last + 1)]
        return write_run(tmp_path / name, Config(dataset, 2), {"dataset": dataset, "iterations": 2, "tasks": tasks})

    table = tables.comparison(mergan_runs([tested("three", "mnist", 3), tested("all", "mnist", 10)]), PAPER)
    assert [name for name in table.columns if name.startswith("ours")] == [
        f"ours: accuracy [%] after {tasks} tasks" for tasks in (3, 5, 10)]
    assert [row[4:] for row in table.rows if row[1] == "all"] == [["30.00", "-", "50.00", "-", "100.00"]]
    table = tables.comparison(mergan_runs([tested("small", "digits", 4)]), PAPER)
    assert table.columns[4:] == ["ours: accuracy [%] after 4 tasks"]


def test_evolution_has_a_row_per_measure_and_run_and_a_column_per_number_of_tasks(tmp_path, aligned):
    tested = [{"task": 1, "average_accuracy": 1.0, "FID (mnist classifier features)": 3.5},
              {"task": 5, "average_accuracy": 0.125, "FID (mnist classifier features)": 20.25}]
    plain = write_run(tmp_path / "plain", Config("mnist", 7), {"dataset": "mnist", "iterations": 7, "tasks": tested})
    untested = write_run(tmp_path / "untested", Config("mnist", 8))
    table = tables.evolution(mergan_runs([untested, plain, aligned]))
    assert table.columns == ["measure", "method", "run", "1", "5", "10"]
    assert table.rows == [["FID (mnist classifier features)", "SFT", "plain", "3.50", "20.25", "-"],
                          ["accuracy [%]", "SFT", "plain", "100.00", "12.50", "-"],
                          ["accuracy [%]", "RA", "aligned", "-", "50.00", "45.00"]]
    assert tables.evolution(mergan_runs([untested])) is None


def test_each_class_has_a_column(aligned):
    table = tables.per_class(mergan_runs([aligned]))
    assert table.rows[0] == ["RA", "aligned", "5", "50.00", "25.00", "100.00", "0.00", "75.00", *["-"] * 5]
    assert table.rows[1][3:] == [f"{10 * digit}.00" for digit in range(10)]


def test_a_run_of_fewer_classes_leaves_the_others_columns_empty(tmp_path, aligned):
    short = write_run(tmp_path / "short", Config("mnist", 3, first_tasks=2), {
        "dataset": "mnist", "iterations": 3, "tasks": [{"task": 2, "accuracy": {"0": 1.0, "1": 0.5}}]})
    table = tables.per_class(mergan_runs([short, aligned]))
    assert len(table.columns) == 3 + 10 and table.rows[0][2:] == ["2", "100.00", "50.00", *["-"] * 8]


def test_untested_runs_have_no_table_of_classes(tmp_path):
    assert tables.per_class(mergan_runs([write_run(tmp_path / "plain", Config("mnist", 7))])) is None


def test_a_class_that_a_generator_gave_too_few_images_of_moves_no_other(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", Config("digits", 3, generative_replay=True))
    tile = np.full([32, 32, 1], 90, np.uint8)
    monkeypatch.setattr(Gallery, "finished", lambda gallery: [2])
    monkeypatch.setattr(Gallery, "classes_by_latents", lambda gallery, learned, count: [[tile], [tile] * count])
    MeRGAN("digits", "1e-3", "").draw(tmp_path / "table.png", {"DGR": {"directory": str(run)}})
    shades = pixels(tmp_path / "table.png")[17, :, 0][-6 * 34 + 16::34]
    assert shades.tolist() == [90, 240, 240, 90, 90, 90]
