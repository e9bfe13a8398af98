"""Our own files, written by others: each ends in one line that names the file, and nothing outside is touched."""

import json
import os

import pytest

from lib import files
from lib.errors import UserError
from lib.report import runs
from lib.run import log, place, runner
from lib.run.options import Options
from lvae import comparison

FOREIGN = ["[]", '"x"', "null", "7", "[" * 100_000, '{"a":' * 100_000, "{", "\udcff"]
SETTINGS = {"system": "toy"}
POINT = {"step": 0, "means": {"cost": 1.0}, "values": {"cost": {"0": 1.0}}}


def write(path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(errors="surrogateescape"))
    return path


@pytest.mark.parametrize("text", FOREIGN)
def test_settings_and_circumstances_of_another_program_are_named(tmp_path, text):
    path = write(tmp_path / "settings.json", text)
    for read in (lambda: place.check_settings(tmp_path, SETTINGS), lambda: runs.read(tmp_path, "run")):
        with pytest.raises(UserError, match="settings.json"):
            read()
    assert place.newest_unfinished([tmp_path], SETTINGS) is None
    os.replace(path, tmp_path / "circumstances.json")
    with pytest.raises(UserError, match="circumstances.json"):
        place.circumstances(tmp_path)


@pytest.mark.parametrize("results", [*FOREIGN, "[1]", "[null]", '[{"distribution": "a", "tests": {}}]',
                                     '[{"distribution": "a", "tests": {"": {"elbo": "b"}}}]',
                                     '[{"distribution": "a", "tests": {"": {"elbo": 1}}, "seen_elbo": "b"}]'])
def test_results_that_are_none_are_named_where_runs_are_compared(tmp_path, results):
    if results != "[]":  # a run that has just begun
        write(tmp_path / "settings.json", '{"system": "Lifelong VAE", "method": "lifelong", "sequential": true}')
        write(tmp_path / "results.json", results)
        with pytest.raises(UserError, match="results.json"):
            comparison.read(tmp_path)


def with_line(directory, line: str):
    """A log whose second line is this one."""
    write(directory / "settings.json", json.dumps({"system": "MeRGAN"}))
    return write(directory / "log.jsonl", json.dumps(POINT) + "\n" + line + "\n")


@pytest.mark.parametrize("line", [
    *FOREIGN, '{"step": "0"}', '{"step": true}', '{"step": 1.5}', '{"step": 0, "means": []}',
    '{"step": 0, "values": []}',
    '{"step": 0, "means": {}, "values": {"cost": 1}}', '{"step": 0, "means": {}, "values": {"cost": {"x": 1}}}'])
def test_a_log_of_another_form_is_named_on_resume_and_in_the_report(tmp_path, line):
    with_line(tmp_path, line)
    for read in (lambda: log.Log(tmp_path, 5), lambda: runs.read(tmp_path, "run")):
        with pytest.raises(UserError, match="log.jsonl"):
            read()


@pytest.mark.parametrize("line", ['{"step": 0, "means": {"cost": "1"}}', '{"step": 0, "values": {"cost": {"0": null}}}',
                                  f'{{"step": 0, "means": {{"cost": {"9" * 400}}}}}'])
def test_a_run_goes_on_with_numbers_only(tmp_path, line):
    with_line(tmp_path, line)
    with pytest.raises(UserError, match="log.jsonl"):
        log.Log(tmp_path, 5)


@pytest.mark.parametrize("name", ["{outside}", "../evil", ".hidden", "..", "", "a/b", "a\\b", "x" * 300])
def test_a_quantity_whose_picture_would_leave_the_directory_is_refused(tmp_path, name):
    name = name.format(outside=tmp_path / "evil")
    run = tmp_path / "run"
    line = {"step": 0, "means": {}, "values": {name: {"0": 1.0}}}
    write(run / "settings.json", json.dumps(SETTINGS))
    write(run / "log.jsonl", json.dumps(line) + "\n")
    with pytest.raises(UserError, match="is no name of a quantity"):
        with runner.Run(run, SETTINGS, {}, Options(), [3]) as opened:
            opened.log.draw_curves()
    assert not list(tmp_path.glob("evil*"))


def test_the_names_that_all_systems_log_are_names(tmp_path):
    names = ["d-cost", "wgan-pure", "RA-cost", "mnist_test_elbo", "test_log_likelihood", "Bernoulli KL (2)"]
    path = write(tmp_path / "log.jsonl", json.dumps(POINT | {"means": dict.fromkeys(names, 1)}) + "\n")
    log.Log(tmp_path, 5)
    assert len(log.read(path)) == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
@pytest.mark.parametrize("name", ["settings.json", "log.jsonl", "metrics.json"])
def test_pipes_directories_and_devices_are_no_files(tmp_path, make, name):
    make(tmp_path / name)
    with pytest.raises(UserError, match=f"{name}: it is no file"):
        log.read(tmp_path / name) if name == "log.jsonl" else files.read_json(tmp_path / name, dict)


def test_a_missing_log_is_empty_and_a_missing_file_is_named(tmp_path):
    assert log.read(tmp_path / "log.jsonl") == []
    with pytest.raises(UserError, match="No such file"):
        files.read_json(tmp_path / "metrics.json")


@pytest.mark.parametrize("link", [".7.x", ".123.log.pkl"])
def test_a_link_that_is_named_as_our_temporaries_are_is_left_alone(tmp_path, link):
    (tmp_path / "kept").mkdir()
    (tmp_path / link).symlink_to("kept")
    (tmp_path / ".9.half").write_text("")
    files.remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([link, "kept"])
