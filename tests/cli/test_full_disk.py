"""Real command lines on a file system of a given size."""

import os
import subprocess
from pathlib import Path

import pytest

from lib import tf1
from tests import kills
from tests.process import Place, refused

LINE = "joint.py --dataset digits --iters 4 --checkpoint_every 1it --result_path run"


class SmallDisk(Place):
    """A working directory that is mounted for the processes started here alone."""

    def __init__(self, path: Path, megabytes: int):
        super().__init__(path)
        # The process keeps the mount; it ends with it.
        self._keeper = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o "size=$1m" none "$2" && echo mounted && exec sleep 10000',
             "sh", str(megabytes), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._keeper.stdout.readline() != "mounted\n":
            pytest.skip(f"a small file system needs the right to mount: {self._keeper.stderr.read().strip()}")
        self.seen = Path(f"/proc/{self._keeper.pid}/root{path}")  # from outside

    def command(self, line: str) -> list[str]:
        return [*self._inside, "sh", "-c", 'cd "$0" && exec "$@"', str(self.path), *super().command(line)]

    def remount(self, option: str) -> None:
        subprocess.run([*self._inside, "mount", "-o", f"remount,{option}", self.path], check=True)

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.wait()

    @property
    def _inside(self) -> list[str]:
        return ["nsenter", "-t", str(self._keeper.pid), "-m"]


@pytest.fixture
def small_disk(launch, tmp_path, request):
    disk = SmallDisk(tmp_path, request.param)
    yield disk
    disk.close()


@pytest.mark.slow  # tests/test_full_disk.py asks the same of a toy
@pytest.mark.parametrize("small_disk, unwritten, resumed", [
    pytest.param(40, "resume/ckpt-3", True, id="resume point"),  # a third one, before the first is removed
    pytest.param(4, "model/WGAN_GP.model-0", False, id="checkpoint"),
], indirect=["small_disk"])
def test_a_full_disk_ends_in_one_line_and_the_run_goes_on_once_there_is_room(small_disk, unwritten, resumed):
    message = refused(small_disk.run(LINE))
    assert f"cannot write result/run/{unwritten}: " in message and "space" in message
    run = small_disk.seen / "result/run"
    assert kills.leftovers(run) == []
    for index in run.rglob("*.index"):
        tf1.read(index.with_suffix(""))
    small_disk.remount("size=100m")
    again = small_disk.run(LINE)
    assert again.returncode == 0 and ("resuming" in again.stdout) == resumed
    assert tf1.exists(run / "model/WGAN_GP.model-3")


@pytest.mark.parametrize("small_disk", [40], indirect=True)
def test_a_read_only_directory_ends_in_one_line(small_disk):
    small_disk.remount("ro")
    assert "cannot create result/run: Read-only file system" in refused(small_disk.run(LINE))
    assert os.listdir(small_disk.seen) == []
