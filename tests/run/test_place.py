"""Where a run is kept: found again, or reserved."""

import json
import threading

import pytest

from lib.errors import UserError
from lib.run import place

SETTINGS = {"system": "toy", "sizes": (1, 2)}


def run_in(directory, settings=SETTINGS, finished=""):
    directory.mkdir(parents=True)
    (directory / "settings.json").write_text(json.dumps(settings))
    if finished:
        (directory / finished).write_text("")
    return directory


def test_the_first_unfinished_run_of_these_settings_is_found(tmp_path):
    directories = [run_in(tmp_path / "4", finished="finished"), run_in(tmp_path / "3", {"system": "other"}),
                   run_in(tmp_path / "2"), run_in(tmp_path / "1")]
    assert place.newest_unfinished(directories, SETTINGS) == tmp_path / "2"


@pytest.mark.parametrize("mark", ["finished", "complete.json"])
def test_a_finished_run_is_not_gone_on_with(tmp_path, mark):
    assert place.newest_unfinished([run_in(tmp_path / "1", finished=mark)], SETTINGS) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"null"])
def test_what_cannot_be_read_is_passed_over(tmp_path, content):
    damaged = run_in(tmp_path / "2")
    (damaged / "settings.json").write_bytes(content)
    assert place.newest_unfinished([damaged, run_in(tmp_path / "1")], SETTINGS) == tmp_path / "1"


def test_runs_that_start_together_get_a_directory_each(tmp_path):
    def numbered():
        return (tmp_path / f"experiment_{number}" for number in range(100))

    taken = []
    starts = [threading.Thread(target=lambda: taken.append(place.reserved(numbered()))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert sorted(path.name for path in taken) == [f"experiment_{number}" for number in range(8)]


def test_a_place_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot create .*file"):
        place.reserved([tmp_path / "file" / "run"])
    with pytest.raises(UserError, match="taken"):
        place.reserved([tmp_path])


def test_other_settings_are_named(tmp_path):
    with pytest.raises(UserError, match=r"rate: 1 there, 2 asked"):
        place.check_settings(run_in(tmp_path / "1", {"rate": 1}), {"rate": 2})


def test_runs_in_folders_below_are_no_obstacle(tmp_path):
    run_in(tmp_path / "mnist_RA")
    run_in(tmp_path / "grids" / "first", finished="finished")
    assert not place.check_settings(tmp_path, SETTINGS)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UserError, match=r"\(notes.txt\)"):
        place.check_settings(tmp_path, SETTINGS)


def test_a_finished_run_is_found_by_its_settings_and_data(tmp_path, capsys):
    data = place.Origin("files", "a1")
    for name, seed, known in (("old", 1, "a1"), ("other", 2, "a1"), ("data", 1, "b2")):
        run_in(tmp_path / name, {"seed": seed})
        place.write_circumstances(tmp_path / name, {"data_fingerprint": known})
    directories = [tmp_path / name for name in ("gone", "data", "other", "old")]
    assert place.finished_one(directories, {"seed": 1}, data, str) is None
    assert not capsys.readouterr().out
    for directory in directories[1:]:
        (directory / place.FINISHED).touch()
    assert place.finished_one(directories, {"seed": 1}, data, lambda directory: f"test {directory.name}") == (
        tmp_path / "old")
    assert capsys.readouterr().out.endswith("this evaluates it: test old\n")
