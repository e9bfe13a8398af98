"""Files are complete or absent, and a directory has one user at a time."""

import errno
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


@pytest.mark.parametrize("count, words", [
    (0, "0 bytes"), (999, "999 bytes"), (128e6, "128 MB"), (180e9, "180 GB"), (1.5e16, "15000 TB")])
def test_sizes(count, words):
    assert files.size(count) == words


def test_a_disk_that_cannot_hold_it_is_refused(tmp_path):
    files.require_space(tmp_path, 0, "weights")
    with pytest.raises(UserError, match=r"free, 1000 TB are needed for checkpoints; free some"):
        files.require_space(tmp_path, 10**15, "checkpoints", "free some")


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


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.EIO, None])
def test_a_file_system_that_locks_nothing_is_a_warning(tmp_path, monkeypatch, capsys, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    if number is None:  # Windows
        monkeypatch.setattr(files, "fcntl", None)
    else:
        monkeypatch.setattr(files.fcntl, "flock", refuse)
    with files.lock(tmp_path):
        said = capsys.readouterr().err
    assert said.startswith("warning: this file system locks nothing") and len(said.splitlines()) == 1
