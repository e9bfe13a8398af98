"""The benchmarks' command line in a real process, on the fewest cases."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def run(*flags):
    return subprocess.run([sys.executable, "-m", "benchmarks", *flags], cwd=ROOT, capture_output=True, text=True,
                          timeout=600)


def test_figures_and_ratios(tmp_path):
    out = tmp_path / "figures.json"
    result = run("--quick", "--rounds=1", "--systems=mergan", "--methods=SFT", f"--out={out}")
    assert result.returncode == 0, result.stderr[-2000:]
    figures = json.loads(out.read_text())
    assert {(case["system"], case["method"], case["past"], case["step"]) for case in figures["cases"]} == {
        ("MeRGAN", "SFT", 0, "critic"), ("MeRGAN", "SFT", 0, "generator"), ("MeRGAN", "SFT", 0, "iteration"),
        ("yardstick", "SFT", 0, "critic")}
    peak = next(row["flops_per_second"] for row in figures["peaks"] if row["step"] == "convolution")
    for case in figures["cases"]:
        assert case["flops_per_second"] == pytest.approx(case["flops"] / case["seconds"])
        assert case["share_of_convolution_peak"] == pytest.approx(case["flops_per_second"] / peak)
    assert [row["ratio_of"] for row in figures["ratios"]] == ["critic step / yardstick"]
    assert figures["peak_memory_bytes"]["MeRGAN on mnist"]["process"] > 2e8
    assert "MeRGAN mnist SFT iteration float32" in result.stdout


def test_unknown_words_are_refused():
    result = run("--methods=SFT,FINETUNE")
    assert result.returncode == 2 and "--methods=SFT,FINETUNE: FINETUNE is not one of SFT, RA, JTR" in result.stderr
    result = run("--past=0")
    assert result.returncode == 2 and "--past=0: not a number above 0" in result.stderr
