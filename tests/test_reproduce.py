"""The published tables run again: what is run, what is kept and what results/README.md then says."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.errors import UserError
from lib.reproduce import __main__ as reproduce
from lib.reproduce import markers, scripts
from lib.reproduce.table import Budget, Compared
from tests.cli.conftest import mergan_data, workplace  # noqa: F401  (fixtures)
from tests.process import ROOT, passed, refused

TABLES = reproduce.tables()
FIGURES = json.loads((ROOT / "lib/reproduce/published.json").read_text())


def test_a_share_of_the_iterations_keeps_the_last_one_that_is_saved():
    assert [Budget(scale, "float32").of(4001) for scale in (1.0, 0.25, 0.0)] == [4001, 1001, 2]


COMPARED = [name for name, table in TABLES.items() if isinstance(table, Compared) and name != "mergan-fashion"]


@pytest.mark.parametrize("name", COMPARED)
def test_every_row_is_published_and_every_published_row_is_there(name):
    published = TABLES[name].published(FIGURES)
    assert published
    for by_method in published.values():
        assert set(by_method) == set(TABLES[name].rows) - {"-Memory (same networks)"}


def test_the_table_says_what_was_published_what_came_out_and_what_was_not_run():
    results = {"RA": {"budget": "1001 iterations per task, float32",
                      "figures": {"accuracy [%], 5 tasks": 90.0, "accuracy [%], 10 tasks": 80.01}}}
    lines = TABLES["mergan-mnist"].text(results, FIGURES).splitlines()
    assert len(lines) == 3 + 2 and len({line.count("|") for line in lines[:3]}) == 1
    assert "| RA | 98.19 | 90.00 (-8.19) | 97.01 | 80.01 (-17.00) | 1001 iterations per task, float32 |" in lines
    assert lines[-1] == ("Not run here, as it needs hours on a CPU; published accuracy [%], 5 tasks / accuracy [%], "
                         "10 tasks: JT 97.66 / 96.92, SFT 19.87 / 10.06, EWC 70.62 / 77.03, DGR 90.39 / 85.40, "
                         "JTR 97.93 / 97.00.")
    assert TABLES["mergan-svhn"].text({}, FIGURES).startswith("Not run here, as it needs the SVHN files; published ")


def test_a_table_that_no_paper_has_says_so():
    table = TABLES["mergan-fashion"]
    results = {"RA": {"budget": "401 iterations per task, float32", "figures": {"accuracy [%], 10 tasks": 80.0}}}
    assert table.text(results, FIGURES).splitlines() == [
        "| not in the paper | accuracy [%], 5 tasks | accuracy [%], 10 tasks | our budget |",
        "| --- | --- | --- | --- |", "| RA |  | 80.00 | 401 iterations per task, float32 |", "",
        "Not in the paper, and not run here, as it needs hours on a CPU: JT, SFT, JTR."]


def test_a_table_without_published_figures_shows_every_transition(tmp_path):
    table = TABLES["lvae-permuted"]
    results = {method: {"budget": "at least 500 iterations per distribution, float32", "transitions": [
        {"distribution": f"permutation {number}", "seen_elbo": elbo + number, "frechet_distance": 2.0 * number,
         "frechet_reconstructions": None} for number in range(3)]}
        for method, elbo in (("vanilla", 100.0), ("lifelong", 90.0))}
    text = table.text(results, FIGURES)
    assert text.count("| 3 | permutation 2 |") == 3
    assert "| 3 | permutation 2 | 92.00 | 102.00 |" in text and "| 3 | permutation 2 | 4.00 | 4.00 |" in text
    assert text.endswith("Budget: at least 500 iterations per distribution, float32; not run here: lifelong (no "
                         "consistency), lifelong (PyTorch), ewc, progressive, full_batch.")
    table.draw(tmp_path / "curves.png", results)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (3 * 4.5 * 120, 4 * 120)
    results["vanilla"] |= {"budget": "less", "after_switches": [3.0, 2.0]}
    text = table.text(results, FIGURES)
    assert "mean over the switches:\n\n| thousand | vanilla |\n| --- | ---: |\n| 1 | 3.00 |\n| 2 | 2.00 |" in text
    assert "Budget: lifelong: at least 500 iterations per distribution, float32; vanilla: less; not run here" in text


def test_memorygan_shows_its_samples_and_the_use_of_its_memory(tmp_path):
    table = TABLES["memorygan-fashion"]
    memory = {"slots_written": 0.5, "slots_real": 0.25, "slots_sampled_effectively": 0.125}
    results = {row: {"budget": "1 epoch", "figures": {"inception score": 2.0}, "memory": {},
                     "directory": str(tmp_path / row)} for row in ("MemoryGAN", "-EM", "-Memory")}
    results["MemoryGAN"] |= {"memory": memory, "by_epoch": {"2": 1.5, "4": 2.0}}
    assert table.text(results, FIGURES).endswith("| MemoryGAN | 50 % | 25 % | 12 % |")
    for row in ("MemoryGAN", "-Memory"):  # the run of the third is somewhere else
        (tmp_path / row).mkdir()
        np.save(tmp_path / row / "samples_gen_0.npy", np.random.rand(64, 28, 28, 1))
    table.draw(tmp_path / "samples.png", results)
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.size[1] == 2 + 4 * 30 and picture.size[0] > 24 * 30
    with Image.open(tmp_path / "samples-scores.png") as picture:
        assert picture.size == (6 * 120, 4 * 120)


def test_a_complete_training_is_not_begun_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    budget = Budget(500 / 12000, "float32")
    table = TABLES["lvae-fashion"]
    assert "--min_interval=500" in table.train("ewc", budget) and "--ewc_gamma=100" in table.train("ewc", budget)
    base = Path(next(flag for flag in table.train("ewc", budget) if flag.startswith("--base_dir=")).split("=")[1])
    assert not table.trained("ewc", budget)
    (base / "experiment_0").mkdir(parents=True)
    assert not table.trained("ewc", budget)
    (base / "experiment_0/complete.json").touch()
    assert table.trained("ewc", budget) and not table.trained("lifelong", budget)

    table = TABLES["memorygan-fashion"]
    assert not table.trained("-EM", budget)
    exp = next(flag for flag in table.train("-EM", budget) if flag.startswith("--exp=")).split("=")[1]
    for kind in ("checkpoint", "logs"):
        Path(kind, exp, "2026-01-01").mkdir(parents=True)
    assert not table.trained("-EM", budget)
    Path("logs", exp, "2026-01-01/finished").touch()
    assert table.trained("-EM", budget)


def test_scripts_find_what_the_caller_finds(tmp_path, monkeypatch):
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "only_here.py").touch()
    script = tmp_path / "script.py"
    script.write_text("import lib.errors\nimport only_here\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "packages"), str(ROOT)]))
    assert scripts.call([str(script)], tmp_path)


def test_only_the_text_between_its_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- results:one -->\nold\n\n<!-- /results:one -->\nb\n<!-- results:two -->\n"
                    "<!-- /results:two -->\n")
    markers.write_between_markers(page, "one", "new \\1")
    markers.write_between_markers(page, "three", "nowhere")
    assert page.read_text() == ("a\n<!-- results:one -->\nnew \\1\n<!-- /results:one -->\nb\n<!-- results:two -->\n"
                                "<!-- /results:two -->\n")


@pytest.mark.parametrize("arguments, words", [
    ("mergan-mnst", "no table mergan-mnst; there are mergan-mnist"), ("", "no table given"),
    ("mergan-mnist --rows=RAA", "--rows=RAA: mergan-mnist has JT, SFT"),
    ("mergan-mnist --seeds=1", "has to be two or more whole numbers"),
    ("mergan-mnist --seeds=1,x", "has to be two or more whole numbers"),
    ("lvae-permuted --seeds=1,2", "lvae-permuted holds curves")])
def test_what_is_not_known_is_refused_in_one_line(here, arguments, words):
    assert words in refused(here.call(f"-m lib.reproduce {arguments}"))


def test_a_row_without_data_is_named_and_leaves_no_result(place, tmp_path):
    result = place.run(f"-m lib.reproduce mergan-svhn --rows=SFT --scale=0 --results={tmp_path}/results "
                       "--data_dir=nowhere")
    assert result.returncode == 2 and "mergan-svhn: SFT" in result.stderr.splitlines()[-1]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["mergan-svhn.md"]
    assert "SFT 19.35 / 10.10, " in (tmp_path / "results/mergan-svhn.md").read_text()


@pytest.mark.parametrize("flag", ["", "--publish"])
def test_a_readme_is_written_where_results_are_published_only(tmp_path, monkeypatch, flag):
    page = tmp_path / "published/README.md"
    page.parent.mkdir()
    page.write_text("<!-- results:mergan-svhn -->\n<!-- /results:mergan-svhn -->\n")
    monkeypatch.setattr(reproduce, "_PUBLISHED", page.parent)
    reproduce.main(["mergan-svhn", "--tables_only", f"--results={tmp_path}/results", *flag.split()])
    assert ("SFT 19.35" in page.read_text()) == bool(flag) == (not (tmp_path / "results").exists())


def test_runs_of_several_seeds_become_a_mean_and_a_deviation(tmp_path, monkeypatch):
    """Stand-ins: accuracies of 10 times the seed."""
    monkeypatch.setattr(reproduce, "run_row", lambda table, row, budget, data_dir: {
        "budget": budget.text("2 iterations", "float32"), "commands": [budget.name],
        "figures": dict.fromkeys(TABLES["mergan-mnist"].published(FIGURES), 10.0 * int(budget.options[-1][5:]))})
    monkeypatch.setattr(type(TABLES["mergan-mnist"]), "draw", lambda *_: None)
    reproduce.main(["mergan-mnist", "--rows=RA", "--seeds=1,2,6", "--options=tasks=2", f"--results={tmp_path}"])
    assert json.loads((tmp_path / "mergan-mnist.json").read_text())["RA"]["commands"] == [
        f"auto_tasks-2_seed-{seed}" for seed in (1, 2, 6)]
    assert ("| RA | 98.19 | 30.00 ± 26.46 (-68.19) | 97.01 | 30.00 ± 26.46 (-67.01) | 2 iterations, float32, tasks=2, "
            "seeds 1, 2, 6 |") in (tmp_path / "mergan-mnist.md").read_text()


def test_results_of_another_program_are_named_before_they_are_drawn(tmp_path, monkeypatch):
    (tmp_path / "lvae-permuted.json").write_text('{"ewc": {}}')
    monkeypatch.setattr(reproduce, "run_row", lambda *_: {"budget": "", "transitions": []})
    with pytest.raises(UserError, match="lvae-permuted.json is not what this program writes"):
        reproduce.main(["lvae-permuted", "--rows=vanilla", f"--results={tmp_path}"])


@pytest.mark.slow
def test_a_row_is_trained_tested_kept_and_shown(workplace, tmp_path):  # noqa: F811
    def run_row(row, options=""):
        return passed(workplace.run(f"-m lib.reproduce mergan-mnist --rows={row} --scale=0 "
                                    f"--results={tmp_path}/results {options}"))

    printed_text = run_row("SFT", "--options=learning_rate=1e-3")
    kept = json.loads((tmp_path / "results/mergan-mnist.json").read_text())["SFT"]
    printed = [100.0 * float(value) for value in re.findall(r"^Average accuracy: (\S+)$", printed_text, re.M)]
    assert list(kept["figures"].values()) == [round(value, 2) for value in printed]
    assert kept["budget"] == "2 iterations per task, float32, learning_rate=1e-3" and len(kept["commands"]) == 2
    assert json.loads((workplace.path / kept["directory"] / "settings.json").read_text())["learning_rate"] == 1e-3
    with Image.open(tmp_path / "results/mergan-mnist.gif") as animation:
        assert animation.n_frames > 10
    text = (tmp_path / "results/mergan-mnist.md").read_text()
    assert re.search(r"^\| SFT \| 19.87 \| \d+\.\d\d \([+-]\d+\.\d\d\) \|", text, re.M)
    for methods in (1, 2):
        with Image.open(tmp_path / "results/mergan-mnist.png") as picture:  # three samples of ten classes each
            assert picture.size[1] == 2 + methods * (32 + 2) and picture.size[0] > 30 * 34
        run_row("JT")
