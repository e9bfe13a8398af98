"""The command line, as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.mergan.config import Config
from tests.report.conftest import write_run

ROOT = Path(__file__).parent.parent.parent


def report(directory: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run([sys.executable, "-m", "lib.report", *arguments], cwd=directory, env=environment,
                          capture_output=True, text=True, timeout=600)


def test_page_and_table_hold_the_same_figures(tmp_path, aligned):
    write_run(tmp_path / "plain", Config("mnist", 7))
    done = report(tmp_path, "aligned", "plain", "--output", "out/page")
    assert done.returncode == 0, done.stderr
    page, markdown = ((tmp_path / "out" / f"page.{kind}").read_text() for kind in ("html", "md"))
    # The paper's replay alignment on MNIST, ours, and a method that was not run.
    assert "| RA | aligned | 3 per task | 0 of 10 tasks | 98.19 | 50.00 | 97.01 | 45.00 |" in markdown
    assert "| SFT | plain | 7 per task | 0 of 10 tasks | 19.87 | not tested | 10.06 | not tested |" in markdown
    assert "| DGR | not run | - | - | 90.39 | not run | 85.40 | not run |" in markdown
    for cell in ("98.19", "50.00", "97.01", "45.00", "90.39", "not run", "not tested", "d-cost"):
        assert f">{cell}<" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "out/page.html" in done.stdout and "out/page.md" in done.stdout


@pytest.mark.parametrize("arguments, complaint", [
    ([], "no run given"), (["nowhere"], "nowhere holds no run"), (["aligned", "."], "holds no run"),
    (["aligned", "--label", "12"], "--label 12"), (["aligned", "--labels", "1"], "labels")])
def test_a_wrong_command_line_is_one_line(tmp_path, aligned, arguments, complaint):
    done = report(tmp_path, *arguments)
    assert done.returncode == 2
    # TensorFlow may speak before.
    *_, line = done.stderr.splitlines()
    assert line.startswith("error: ") and complaint in line and "Traceback" not in done.stderr
    assert not (tmp_path / "result").exists()
