"""What counts as a run, and what a directory that is none is answered."""

import importlib

import pytest

from lib import files
from lib.errors import UserError
from lib.mergan.config import Config
from lib.report import runs
from tests.report.conftest import METRICS, write_run


def test_a_run_is_read(aligned):
    run = runs.read(aligned, "mine")
    assert run.title == "mine (RA, iterations: 3 per task)" and run.dataset == "mnist"
    assert run.metrics == METRICS
    assert [line["step"] for line in run.log] == [0, 2]


def test_metrics_and_log_may_be_absent(tmp_path):
    run = runs.read(write_run(tmp_path / "plain", Config("mnist", 7)), "plain")
    assert run.metrics is None and run.log == []


def test_a_directory_without_a_run(tmp_path):
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match="holds no run"):
            runs.read(directory, "x")


@pytest.mark.parametrize("settings", [[], {}, {"system": "other"}, {"system": ["a"]}])
def test_settings_of_something_else(tmp_path, settings):
    files.write_json(tmp_path / "settings.json", settings)
    with pytest.raises(UserError, match="no report for system"):
        runs.read(tmp_path, "x")


@pytest.mark.parametrize("dataset, complaint", [("letters", "letters"), (["mnist"], "unknown"), ("mnist", "iterations")])
def test_settings_that_training_did_not_write(tmp_path, dataset, complaint):
    files.write_json(tmp_path / "settings.json", {"system": "MeRGAN", "dataset": dataset})
    with pytest.raises(UserError, match=complaint):
        runs.read(tmp_path, "x")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"tasks": [1]}', '{"tasks": [{"accuracy": {}}]}'])
def test_damaged_metrics_are_named(aligned, text):
    (aligned / "metrics.json").write_text(text)
    with pytest.raises(UserError, match="metrics.json"):
        runs.read(aligned, "x")


def test_names_tell_runs_apart_and_a_run_counts_once(tmp_path):
    paths = [write_run(tmp_path / name, Config("digits", 2)) for name in ("a/run", "b/run", "c")]
    found = runs.read_all([*map(str, paths), f"{paths[2]}/"])
    assert [run.name for run in found] == [str(paths[0]), str(paths[1]), "c"]


def test_runs_are_grouped_by_data_set(tmp_path):
    found = runs.read_all([write_run(tmp_path / name, Config(dataset, 2))
                           for name, dataset in (("a", "digits"), ("b", "mnist"), ("c", "digits"))])
    names = {key: [run.name for run in group] for key, group in runs.groups(found).items()}
    assert names == {("MeRGAN", "digits"): ["a", "c"], ("MeRGAN", "mnist"): ["b"]}


@pytest.mark.parametrize("name", runs.GALLERIES.values())
def test_every_system_has_published_figures_and_what_the_report_asks_for(name):
    module = importlib.import_module(name)
    assert runs.published_figures(module)["source"]
    for needed in ("METHODS", "method", "budget", "published", "measures", "class_accuracies", "Gallery"):
        assert hasattr(module, needed)
