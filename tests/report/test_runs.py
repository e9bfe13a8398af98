"""What counts as a run, and what a directory that is none is answered."""

import pytest

from lib import files, systems
from lib.errors import UserError
from lib.mergan.config import Config
from lib.mergan.report.runs import read
from lib.report import runs
from tests.report.conftest import METRICS, write_run


def test_a_run_is_read(aligned):
    run = read(aligned, "mine")
    assert run.title == "mine (RA, iterations: 3 per task)" and run.dataset == "mnist"
    assert run.metrics == METRICS
    assert run.stored.means == {"d-cost": {0: -1.5, 2: -2.5}, "g-cost": {2: 4.0}} and run.stored.values == {}


def test_metrics_and_log_may_be_absent(tmp_path):
    run = read(write_run(tmp_path / "plain", Config("mnist", 7)), "plain")
    assert run.metrics is None and run.stored.means == run.stored.values == {}


def test_a_directory_without_a_run(tmp_path):
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match="holds no run"):
            runs.read(directory, "x")


@pytest.mark.parametrize("settings", [[], {}, {"system": "other"}, {"system": ["a"]}])
def test_settings_of_something_else(tmp_path, settings):
    files.write_json(tmp_path / "settings.json", settings)
    with pytest.raises(UserError, match="no report for system"):
        runs.read(tmp_path, "x")


@pytest.mark.parametrize("dataset, complaint", [
    ("letters", "letters"), (["mnist"], "unknown"), ("mnist", "iterations")])
def test_settings_that_training_did_not_write(tmp_path, dataset, complaint):
    files.write_json(tmp_path / "settings.json", {"system": "MeRGAN", "dataset": dataset})
    with pytest.raises(UserError, match=complaint):
        read(tmp_path, "x")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"tasks": [1]}', '{"tasks": [{"accuracy": {}}]}'])
def test_damaged_metrics_are_named(aligned, text):
    (aligned / "metrics.json").write_text(text)
    with pytest.raises(UserError, match="metrics.json"):
        read(aligned, "x")


def test_names_tell_runs_apart_and_a_run_counts_once(tmp_path):
    paths = [write_run(tmp_path / name, Config("digits", 2)) for name in ("a/run", "b/run", "c")]
    found = runs.read_all([*map(str, paths), f"{paths[2]}/"])
    assert [run.name for run in found] == [str(paths[0]), str(paths[1]), "c"]


def test_runs_are_grouped_by_data_set(tmp_path):
    found = runs.read_all([write_run(tmp_path / name, Config(dataset, 2))
                           for name, dataset in (("a", "digits"), ("b", "mnist"), ("c", "digits"))])
    names = {key: [run.name for run in group] for key, group in runs.groups(found).items()}
    assert names == {("mergan", "digits"): ["a", "c"], ("mergan", "mnist"): ["b"]}


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_every_system_has_its_part(system):
    with pytest.raises(UserError, match="unknown"):
        systems.part(system, "report").group({"dataset": ["mnist"], "experiment": {}})
    assert callable(systems.part(system, "report").chapter)


def test_groups_of_foreign_settings_name_the_file(tmp_path):
    directory = write_run(tmp_path / "a", Config("digits", 2))
    files.write_json(directory / "settings.json", {"system": "memoryGAN", "dataset": 3})
    with pytest.raises(UserError, match="a/settings.json: unknown data set 3"):
        runs.groups(runs.read_all([directory]))


@pytest.mark.parametrize("line", ['[]', '{"step": 1}', '{"step": "x", "means": {"a": 1}, "values": {}}',
                                  '{"step": 1, "means": [], "values": {}}', "[" * 10_000])
def test_a_foreign_log_is_named(aligned, line):
    (aligned / "log.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match="log.jsonl"):
        runs.read(aligned, "x")


def test_text_that_cannot_be_shown_is_replaced(tmp_path):
    name = b"_run\x07\xff".decode("utf-8", "surrogateescape")
    directory = write_run(tmp_path / name, Config("digits", 2))
    (directory / "log.jsonl").write_text('{"step": 1, "means": {"c\\u0000\\ud800": 1e400}, "values": {}}\n')
    (run,) = runs.read_all([directory])
    assert run.name == "_run\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert list(run.means) == ["c\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"]
