"""Which results are compared with which, on made-up times."""

import numpy as np
import pytest

from benchmarks import report
from benchmarks.timing import Case, Result


def result(times, **about):
    return Result(Case(about, None, flops=8e9, images=64), np.array(times))


def memorygan(times, method, slots, precision="float32"):
    return result(times, system="memoryGAN", dataset="fashion", method=method, slots=slots, precision=precision,
                  jit=False, step="iteration")


def test_ratios_are_medians_of_rounds():
    """The machine slows down fourfold in the second round, for both alike."""
    plain = memorygan([1.0, 4.0, 1.0], "GAN", 0)
    small = memorygan([2.0, 8.0, 2.0], "MemoryGAN", 4096)
    large = memorygan([3.0, 12.0, 3.5], "MemoryGAN", 65536)
    mixed = memorygan([0.5, 2.0, 1.0], "GAN", 0, "mixed_bfloat16")
    found = {(row["ratio_of"], row["slots"]): row["ratio"] for row in report.ratios([plain, small, large, mixed])}
    assert found == pytest.approx({
        ("MemoryGAN / GAN", 4096): 2.0, ("MemoryGAN / GAN", 65536): 3.0,
        ("65536 slots / 4096 slots", 65536): 1.5, ("mixed_bfloat16 / float32", 0): 0.5})


def test_an_iteration_is_compared_with_sequential_fine_tuning():
    sft, ra, critic, by_hand = (
        result([seconds], system=system, dataset="mnist", method=method, past=past, precision="float32", jit=False,
               step=step)
        for seconds, system, method, past, step in (
            (2.0, "MeRGAN", "SFT", 0, "iteration"), (2.5, "MeRGAN", "RA", 9, "iteration"),
            (1.0, "MeRGAN", "SFT", 0, "critic"), (2.0, "yardstick", "SFT", 0, "critic")))
    found = {row["ratio_of"]: row["ratio"] for row in report.ratios([sft, ra, critic, by_hand])}
    assert found == {"RA iteration with 9 past classes / SFT iteration": 1.25, "critic step / yardstick": 0.5}


def test_ours_is_compared_with_the_best_twin_of_its_precision():
    """Channels last has the smaller median, though eager has the fastest round; the machine drifts."""
    about = dict(system="memoryGAN", dataset="fashion", method="GAN", slots=0, jit=False, step="iteration")
    results = [result(times, **about, precision=precision, **program) for times, precision, program in (
        ([1.0, 2.0, 4.0], "float32", {}),
        ([5.0, 6.0, 1.0], "float32", {"program": "PyTorch eager"}),
        ([2.0, 4.0, 8.0], "float32", {"program": "PyTorch channels last"}),
        ([1.0, 1.0, 1.0], "mixed_bfloat16", {}),
        ([4.0, 4.0, 4.0], "mixed_bfloat16", {"program": "PyTorch bfloat16"}))]
    rows = report.ratios(results)
    found = {(row["precision"], row["ratio_of"]): row["ratio"] for row in rows}
    assert found == {("float32", "ours / best of PyTorch (channels last)"): 0.5,
                     ("mixed_bfloat16", "ours / best of PyTorch (bfloat16)"): 0.25,
                     ("mixed_bfloat16", "mixed_bfloat16 / float32"): 0.5}
    assert report.label(results[1].case.about).endswith("float32 (PyTorch eager)")


def test_shares_are_of_the_peak_of_the_same_precision():
    peaks = [Result(Case({"system": "peak", "step": step, "precision": precision}, None, flops=speed), np.ones(3))
             for step, precision, speed in (("convolution", "float32", 16e9), ("product", "float32", 32e9),
                                            ("convolution", "mixed_bfloat16", 1e9))]
    row, = report.figures([memorygan([1.0, 2.0, 9.0], "GAN", 0)], peaks)
    assert row["seconds"] == 2.0 and row["images_per_second"] == 32.0 and row["flops_per_second"] == 4e9
    assert row["share_of_convolution_peak"] == 0.25 and row["share_of_product_peak"] == 0.125
