"""Wherever space ends, a run ends in one line, leaves nothing half-written and goes on once there is room."""

import json
import subprocess

import pytest

from tests import process


def check(launch, tmp_path, kind: str, count: int, *before: str) -> None:
    command = launch(process.ROOT).command(["-m", "tests.full_disk", kind, str(count), str(tmp_path)])
    ended = subprocess.run([*before, *command], cwd=process.ROOT, env=process.environment(), capture_output=True,
                           text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["stopped"] >= count / 3 and found["ended well"] >= 1
    assert found["stopped"] + found["ended well"] == count


def check_disks(launch, tmp_path, count: int) -> None:
    allowed = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", tmp_path], capture_output=True)
    if allowed.returncode:
        pytest.skip(f"file systems of a given size need the right to mount: {allowed.stderr.decode().strip()}")
    check(launch, tmp_path, "disk", count, "unshare", "-m")


def test_small_disks(launch, tmp_path):
    check_disks(launch, tmp_path, 10)


def test_short_files(launch, tmp_path):
    check(launch, tmp_path, "file", 10)


@pytest.mark.slow
def test_many_small_disks(launch, tmp_path):
    check_disks(launch, tmp_path, 100)


@pytest.mark.slow
def test_many_short_files(launch, tmp_path):
    check(launch, tmp_path, "file", 100)
