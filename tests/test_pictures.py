"""Conversions and grids against values recorded from the original and against pictures computed by hand."""

import numpy as np
import pytest
from PIL import Image

from lib import pictures


def test_to_float_follows_the_original_formula():
    pixels = np.arange(256, dtype=np.uint8)
    scaled = pixels.astype(np.float32) * np.float32(1 / 255)
    assert np.array_equal(pictures.to_float(pixels), 2 * (scaled - np.float32(0.5)))
    assert pictures.to_float(pixels).numpy().min() == -1 and pictures.to_float(pixels).numpy().max() == 1


def test_conversions_at_the_ends():
    # Recorded from the original (golden data figures, "conversion_ends").
    values = np.float32([-1.0, -0.999, -0.5, -1e-7, 0.0, 0.5, 0.996, 0.9999, 1.0])
    assert pictures.to_pixels(values).tolist() == [0, 0, 63, 127, 127, 191, 254, 254, 255]
    assert pictures.groundtruth_to_pixels(values).tolist() == [0, 0, 63, 126, 127, 190, 253, 253, 254]
    assert pictures.to_classifier_input(values).numpy().tolist() == [0, 0, 64, 127, 128, 192, 255, 255, 256]


@pytest.mark.parametrize("count, rows", [(100, 10), (64, 8), (6, 2), (7, 1), (12, 3)])
def test_grid_rows_are_the_largest_divisor_up_to_the_root(count, rows):
    picture = pictures.grid(np.zeros([count, 3, 5, 1]))
    assert picture.shape == (rows * 3, count // rows * 5, 1)


def test_grid_fills_row_by_row():
    tiles = np.arange(6)[:, None, None, None] * np.ones([1, 2, 2, 1])
    assert pictures.grid(tiles, columns=3)[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_stretch_uses_the_full_range_and_blackens_a_constant():
    assert pictures.stretch(np.array([[10.0, 50.0, 110.0]])).tolist() == [[0, 102, 255]]
    assert pictures.stretch(np.full([2, 2], 77)).max() == 0


def test_saved_png_is_rgb_and_leaves_nothing_else(tmp_path):
    pictures.save_grid(tmp_path / "a.png", np.arange(16).reshape(4, 2, 2, 1))
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "RGB" and picture.size == (4, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
