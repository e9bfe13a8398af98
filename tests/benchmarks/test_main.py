"""The benchmarks' command line in a real process, on the fewest cases."""

import importlib.util
import json

import pytest

from tests.process import passed, refused


def test_figures_and_ratios(place, tmp_path):
    out = tmp_path / "figures.json"
    printed = passed(place.run(f"-m benchmarks --quick --rounds=1 --systems=mergan --methods=SFT --out={out}"))
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
    assert "MeRGAN mnist SFT iteration float32" in printed


def test_unknown_words_are_refused(here):
    assert "--methods=SFT,FINETUNE: FINETUNE is not one of SFT, RA, JTR" in refused(
        here.call("-m benchmarks --methods=SFT,FINETUNE"))
    assert "--past=0: not a number above 0" in refused(here.call("-m benchmarks --past=0"))


def test_pytorch_in_the_same_turns(place, tmp_path, monkeypatch):
    """Without torch.compile, which takes minutes before the first step."""
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[bench]")
    monkeypatch.setenv("CXX", "no-such-compiler")
    out = tmp_path / "figures.json"
    printed = passed(place.run(f"-m benchmarks --pytorch --quick --rounds=1 --systems=memorygan --out={out}"))
    figures = json.loads(out.read_text())
    assert {(case["method"], case.get("program", "ours")) for case in figures["cases"]} == {
        (method, program) for method in ("GAN", "MemoryGAN")
        for program in ("ours", "PyTorch eager", "PyTorch channels last")}
    against = [row for row in figures["ratios"] if row["ratio_of"].startswith("ours / best of PyTorch")]
    assert [row["method"] for row in against] == ["GAN", "MemoryGAN"]
    assert "threads 1" in printed and "torch.compile is left out" in printed


def test_pytorch_has_to_be_there(here, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torch" else find(name, *more))
    assert "--pytorch: PyTorch is not installed; pip install -e .[bench]" in refused(
        here.call("-m benchmarks --pytorch"))
