"""Files are complete or absent, and a directory has one user at a time."""

import os

import pytest

from lib import files
from lib.errors import UserError


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, [1])
    with pytest.raises(RuntimeError):
        with files.atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError
    assert files.read_json(path) == [1]
    assert os.listdir(tmp_path) == ["a.json"]


def test_disk_full_is_one_line_that_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(UserError, match=r"cannot write .*a\.txt: No space left"):
        files.write_text(tmp_path / "a.txt", "text")
    assert os.listdir(tmp_path) == []


def test_unreadable_json_names_the_file(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match="a.json"):
        files.read_json(tmp_path / "a.json")


def test_unwritable_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot create"):
        files.make_directory(tmp_path / "file" / "below")


def test_lock_keeps_another_process_out_and_ends_with_its_holder(tmp_path, place):
    attempt = ["-c", f"from lib import files\nwith files.lock({str(tmp_path)!r}): pass"]
    with files.lock(tmp_path):
        refused = place.run(attempt)
        assert refused.returncode != 0 and "in use by another run" in refused.stderr
    assert place.run(attempt).returncode == 0
