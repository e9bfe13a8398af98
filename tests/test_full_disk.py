"""Wherever space ends, a run ends in one line, leaves nothing half-written and goes on once there is room."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def check(tmp_path, kind: str, count: int, *before: str) -> None:
    ended = subprocess.run([*before, sys.executable, "-m", "tests.full_disk", kind, str(count), tmp_path], cwd=ROOT,
                           capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["stopped"] >= count / 3 and found["ended well"] >= 1
    assert found["stopped"] + found["ended well"] == count


def check_disks(tmp_path, count: int) -> None:
    allowed = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", tmp_path], capture_output=True)
    if allowed.returncode:
        pytest.skip(f"file systems of a given size need the right to mount: {allowed.stderr.decode().strip()}")
    check(tmp_path, "disk", count, "unshare", "-m")


def test_small_disks(tmp_path):
    check_disks(tmp_path, 10)


def test_short_files(tmp_path):
    check(tmp_path, "file", 10)


@pytest.mark.slow
def test_many_small_disks(tmp_path):
    check_disks(tmp_path, 100)


@pytest.mark.slow
def test_many_short_files(tmp_path):
    check(tmp_path, "file", 100)
