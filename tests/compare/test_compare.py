"""Systems beside each other: who takes part, and what one classifier says of their samples."""

import numpy as np
import pytest

from lib.classifiers.features import Extractor
from lib.classifiers.real_images import RealImages
from lib.compare import __main__ as compare
from lib.compare import judging
from lib.errors import UserError


def test_methods_and_their_flags():
    found = compare.contestants(compare.Command(dataset="fashion", scale=0.025, mergan_options=("learning_rate=1e-3",)))
    assert list(found) == ["SFT", "JTR", "RA", "vanilla", "ewc", "lifelong"]
    lines = {row: " ".join(table.train(row, budget)) for row, (_, table, budget) in found.items()}
    assert "--iters=101 " in lines["RA"] and "--RA_factor=1e-3" in lines["RA"]
    assert {row for row, line in lines.items() if "--learning_rate=1e-3" in line} == {"SFT", "JTR", "RA"}
    assert "--min_interval=300 " in lines["lifelong"] and "--use_ln=True" in lines["lifelong"]
    assert list(compare.contestants(compare.Command(rows=("ewc", "SFT")))) == ["ewc", "SFT"]
    with pytest.raises(UserError, match="--rows=EWC: there are SFT"):
        compare.contestants(compare.Command(rows=("EWC",)))


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 1), (32, 32, 3)])
def test_all_images_are_brought_to_one_form(shape):
    fitted = judging.fitted(np.full([2, *shape], 90, np.uint8))
    margin = (32 - shape[0]) // 2
    assert fitted.shape == (2, 32, 32, 1) and fitted.dtype == np.uint8
    assert (fitted[:, margin:32 - margin, margin:32 - margin] == 90).all() and fitted.sum() == 2 * 90 * shape[0]**2


def test_shares_classes_and_distance(monkeypatch):
    """By a classifier that takes shades for classes."""
    real = np.repeat(np.arange(4, dtype=np.uint8), 10)[:, None, None, None] * np.ones([1, 32, 32, 1], np.uint8)
    shared = judging.Shared.__new__(judging.Shared)  # without the training
    shared._classes, shared._real = 4, {("mergan", "test"): RealImages(real, real[:, 0, 0, 0].astype(np.int32))}
    shared._extractor = Extractor("shade", lambda images: images[:, 0, 0].astype(np.float64))
    monkeypatch.setattr(shared, "_predicted", lambda images: images[:, 0, 0, 0])
    even, half = shared.judged("mergan", real), shared.judged("mergan", real[:20])
    assert even.shares == [0.25] * 4 and even.effective_classes == pytest.approx(4) and even.fid == pytest.approx(0)
    assert half.shares == [0.5, 0.5, 0, 0] and half.effective_classes == pytest.approx(2) and half.fid > 1
    assert half.samples == 20


def test_the_table_has_a_line_per_method():
    found = {"system": "MeRGAN", "budget": "101 iterations per class", "minutes": None, "images_per_second": 100,
             "generator_parameters": 4105345, "shares": [0.1] * 10, "effective_classes": 10.0, "fid": 3.25,
             "samples": 500}
    text = compare.as_text({"RA": found}, {"accuracy_by_system": {"mergan": 0.875}})
    assert "| RA | MeRGAN | 10.0 | " in text and "| 10.00 | 3.2 | 100 | 4,105,345 | unknown | 101 iter" in text
    assert "87.5% as MeRGAN learns them" in text and "Of 500 samples each" in text
