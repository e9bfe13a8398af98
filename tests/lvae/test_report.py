"""The Lifelong VAE's chapter of the report, from files as training leaves them."""

import json

import numpy as np
import pytest

from lib import files, pictures
from lib.errors import UserError
from lib.report import runs
from lib.report.options import Options
from lvae import distributions, report

SETTINGS = {"system": "Lifelong VAE", "experiment": "fashion_dnn", "sequential": True, "method": "lifelong", "seed": 0,
            "batch_size": 5, "min_interval": 7, "max_dist_swaps": 3}


def write_run(directory, elbos=(), **settings):
    files.make_directory(directory / "imgs")
    files.write_json(directory / "settings.json", {**SETTINGS, **settings})
    if elbos:
        files.write_json(directory / "results.json", [
            {"distribution": f"fashion {number}", "seen_elbo": 2 * elbo, "tests": {"mnist_": {"elbo": elbo}}}
            for number, elbo in enumerate(elbos)])
    return directory


def draw(directory, *names: str, shade: int = 9) -> None:
    for name in names:
        pictures.save_png(directory / "imgs" / f"{name}.png", np.full([4, 4, 1], shade, np.uint8))


def chapter_of(*directories) -> dict:
    found = report.chapter(runs.read_all(directories), Options())
    assert found.title == "Lifelong VAE: fashion_dnn"
    return {section.title: section for section in found.sections}


def test_a_run_that_has_not_begun_says_so(tmp_path):
    found = chapter_of(write_run(tmp_path / "new"))
    assert found["Figures"].tables[0].rows == [["new", "lifelong", "0"]] and "Over the transitions" not in found
    for title in ("Reconstructions", "Samples per class", "Clusters"):
        assert "Not shown: new (" in found[title].text


def test_figures_of_runs_of_several_lengths(tmp_path, monkeypatch):
    charts = {}
    monkeypatch.setattr(pictures, "line_chart", lambda chart: charts.update({chart.ylabel: chart}) or b"")
    found = chapter_of(write_run(tmp_path / "_long", [200.0, 150.5]), write_run(tmp_path / "short", [210.0],
                                                                               method="ewc"))
    (last,) = found["Figures"].tables
    assert last.rows == [["_long", "lifelong", "2", "150.50", "301.00"], ["short", "ewc", "1", "210.00", "420.00"]]
    elbo, seen = found["Over the transitions"].tables
    assert elbo.rows == [["1", "fashion 0", "200.00", "210.00"], ["2", "fashion 1", "150.50", "-"]]
    assert seen.columns == ["transition", "distribution", "_long", "short"]
    assert [(line.label, line.x, line.y) for line in charts["elbo"].lines] == [
        ("_long", (1, 2), (200.0, 150.5)), ("short", (1,), (210.0,))]


def test_pictures_are_sorted_by_model_and_samples_by_class(tmp_path):
    run = write_run(tmp_path / "run")
    for model in (2, 10):
        draw(run, f"20d_reconstr_vae{model}_elu", f"2d_cluster_vae{model}_elu")
    draw(run, "vae_1_consistency_discrete_index0_num0", "vae_2_consistency_discrete_index1_num0", shade=50)
    draw(run, "vae_2_consistency_discrete_index0_num1", shade=90)
    found = chapter_of(run)
    for title in ("Reconstructions", "Clusters"):
        assert [figure.caption for figure in found[title].figures] == ["run, model 2", "run, model 10"]
    (samples,) = found["Samples per class"].figures
    assert samples.caption == "run, model 2"


def test_phases_begin_where_training_enters_them(tmp_path):
    (run,) = runs.read_all([write_run(tmp_path / "run")])
    first, second = report.phases_begin(run)
    config = type("Config", (), SETTINGS)
    lengths = [length for _, length in distributions.schedule(config, 10)]
    assert (first, second) == (lengths[0], lengths[0] + lengths[1]) and first > 7


@pytest.mark.parametrize("settings", [{"sequential": False}, {"min_interval": 10**30}, {"max_dist_swaps": "x"},
                                      {"batch_size": None}, {"max_dist_swaps": 0}])
def test_no_phases_are_marked_where_the_settings_fix_none(tmp_path, settings):
    (run,) = runs.read_all([write_run(tmp_path / "run", **settings)])
    assert report.phases_begin(run) == []


@pytest.mark.parametrize("results", [[1], [{"tests": {}}], {}, [{"distribution": "a", "tests": {"b": {"elbo": "c"}}}]])
def test_foreign_results_are_named(tmp_path, results):
    run = write_run(tmp_path / "run")
    (run / "results.json").write_text(json.dumps(results or "text"))
    with pytest.raises(UserError, match="results.json"):
        chapter_of(run)


def test_a_damaged_picture_is_named(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "imgs/20d_reconstr_vae0_elu.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="20d_reconstr_vae0_elu.png"):
        chapter_of(run)
