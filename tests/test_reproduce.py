"""The published tables run again: what is run, what is kept and what the README then says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lib import reproduce
from lib.reproduce import TABLES, Budget
from tests.cli.conftest import ROOT, workplace  # noqa: F401  (a fixture)

FIGURES = json.loads((ROOT / "lib/published.json").read_text())


def run(*arguments, cwd):
    return subprocess.run([sys.executable, "-m", "lib.reproduce", *arguments], cwd=cwd, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "", "CUDA_VISIBLE_DEVICES": "-1"}, timeout=900)


def test_a_share_of_the_iterations_keeps_the_last_one_that_is_saved():
    assert [Budget(scale, "float32").of(4001) for scale in (1.0, 0.25, 0.0)] == [4001, 1001, 2]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_published_and_every_published_row_is_there(name):
    published = TABLES[name].published(FIGURES)
    assert published
    for by_method in published.values():
        assert set(by_method) == set(TABLES[name].rows)


def test_the_table_says_what_was_published_what_came_out_and_what_was_not_run():
    results = {"RA": {"budget": "1001 iterations per task, float32",
                      "figures": {"accuracy [%], 5 tasks": 90.0, "accuracy [%], 10 tasks": 80.01}}}
    lines = reproduce.readme_table(TABLES["mergan-mnist"], results, FIGURES).splitlines()
    assert len(lines) == 2 + 6 and len({line.count("|") for line in lines}) == 1
    assert "| RA | 98.19 | 90.00 (-8.19) | 97.01 | 80.01 (-17.00) | 1001 iterations per task, float32 |" in lines
    assert "| SFT | 19.87 |  | 10.06 |  | not run here: needs hours on a CPU |" in lines


def test_only_the_text_between_its_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- results:one -->\nold\n\n<!-- /results:one -->\nb\n<!-- results:two -->\n"
                    "<!-- /results:two -->\n")
    reproduce.write_between_markers(page, "one", "new \\1")
    reproduce.write_between_markers(page, "three", "nowhere")
    assert page.read_text() == ("a\n<!-- results:one -->\nnew \\1\n<!-- /results:one -->\nb\n<!-- results:two -->\n"
                                "<!-- /results:two -->\n")


@pytest.mark.parametrize("arguments, words", [
    (["mergan-mnst"], "no table mergan-mnst; there are mergan-mnist"), ([], "no table given"),
    (["mergan-mnist", "--rows=RAA"], "--rows=RAA: mergan-mnist has JT, SFT")])
def test_what_is_not_known_is_refused_in_one_line(arguments, words, tmp_path):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2 and words in result.stderr.splitlines()[-1] and "Traceback" not in result.stderr


def test_a_row_without_data_is_named_and_leaves_no_result(tmp_path):
    result = run("mergan-svhn", "--rows=SFT", "--scale=0", f"--results={tmp_path}/results",
                 f"--readme={_page(tmp_path)}", "--data_dir=nowhere", cwd=tmp_path)
    assert result.returncode == 2 and "mergan-svhn: SFT" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "results").exists()
    assert "| SFT | 19.35 |  | 10.10 |  | not run here: needs the SVHN files |" in _page(tmp_path).read_text()


def _page(folder: Path) -> Path:
    page = folder / "page.md"
    if not page.exists():
        page.write_text("".join(f"<!-- results:{name} -->\n<!-- /results:{name} -->\n" for name in TABLES))
    return page


@pytest.mark.slow
def test_a_row_is_trained_tested_kept_and_shown(workplace, tmp_path):  # noqa: F811
    page = _page(tmp_path)
    result = run("mergan-mnist", "--rows=SFT", "--scale=0", f"--results={tmp_path}/results", f"--readme={page}",
                 cwd=workplace.path)
    assert result.returncode == 0, result.stderr[-2000:]
    kept = json.loads((tmp_path / "results/mergan-mnist.json").read_text())["SFT"]
    printed = [100.0 * float(value) for value in re.findall(r"^Average accuracy: (\S+)$", result.stdout, re.M)]
    assert list(kept["figures"].values()) == [round(value, 2) for value in printed]
    with Image.open(tmp_path / "results/mergan-mnist.png") as picture:
        assert picture.size[1] == 2 + 32 + 2 and picture.size[0] > 30 * 34  # one method, three samples of ten classes
    assert kept["budget"] == "2 iterations per task, float32" and len(kept["commands"]) == 2
    assert re.search(r"^\| SFT \| 19.87 \| \d+\.\d\d \([+-]\d+\.\d\d\) \|", page.read_text(), re.M)
