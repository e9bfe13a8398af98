"""Against values recorded from the original, pixels computed by hand, and files read back by others."""

import io
import xml.etree.ElementTree

import matplotlib
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
    assert pictures.truncated_pixels(values).tolist() == [0, 0, 63, 127, 127, 191, 254, 254, 255]
    assert pictures.groundtruth_pixels(values).tolist() == [0, 0, 63, 126, 127, 190, 253, 253, 254]
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


def test_pixels_of_both_ranges():
    assert pictures.float_pixels(np.array([0.0, 0.5, 1.0]), unit_range=True).tolist() == [0.0, 127.5, 255.0]
    assert pictures.float_pixels(np.array([-1.0, 0.0, 1.0]), unit_range=False).tolist() == [0.0, 127.5, 255.0]
    rounded = pictures.rounded_pixels(np.array([-0.1, 0.0, 0.5, 0.999, 1.2]), unit_range=True)
    assert rounded.tolist() == [0, 0, 128, 255, 255] and rounded.dtype == np.uint8


def tile(shade, side=2, channels=1):
    return np.full([side, side, channels], shade, np.uint8)


def test_tiles_lie_where_they_should():
    picture = pictures.labelled_grid([[tile(1), tile(2), tile(3)], [tile(4), tile(5), tile(6)]])
    expected = np.full([2 * 4 + 2, 3 * 4 + 2], 255)
    for number, (row, column) in enumerate(np.ndindex(2, 3), 1):
        expected[2 + 4 * row:4 + 4 * row, 2 + 4 * column:4 + 4 * column] = number
    assert picture.shape == (10, 14, 3) and (picture == expected[..., None]).all()


def test_absent_tiles_are_blank():
    picture = pictures.labelled_grid([[tile(0), tile(0)], [None], [tile(9)]])
    blank = picture[6, 2]
    assert len(set(blank)) == 1 and blank[0] not in (0, 9, 255)
    for corner in (picture[6:8, 2:4], picture[6:8, 6:8], picture[10:12, 6:8]):
        assert (corner == blank).all()


def test_tiles_grow_by_whole_factors_and_keep_colours():
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    picture = pictures.labelled_grid([[colours]], side=7)
    assert picture.shape == (10, 10, 3)
    assert (picture[2:8, 2:8] == colours.repeat(3, axis=0).repeat(3, axis=1)).all()


def test_labels_and_title_take_room_outside_the_tiles():
    plain = pictures.labelled_grid([[tile(7, 20)]])
    labelled = pictures.labelled_grid([[tile(7, 20)]], ["row"], ["c"], "title")
    height, width = plain.shape[:2]
    assert (labelled[-height:, -width:] == plain).all()
    margin = labelled[:-height]
    assert margin[:18].min() < 255 and margin[18:].min() < 255  # title, column label
    assert labelled[-height:, :-width].min() < 255  # row label


def test_png_keeps_every_pixel_and_drops_colours_that_are_not_there():
    grey = np.random.RandomState(0).randint(0, 256, [5, 6, 1]).astype(np.uint8).repeat(3, axis=2)
    coloured = grey.copy()
    coloured[0, 0] = [1, 2, 3]
    for picture, mode in ((grey, "L"), (coloured, "RGB")):
        with Image.open(io.BytesIO(pictures.as_png(picture, small=True))) as image:
            assert image.mode == mode and (np.asarray(image.convert("RGB")) == picture).all()


def frames(count):
    random = np.random.RandomState(1)
    return [random.randint(0, 256, [40, 40, 1]).astype(np.uint8).repeat(3, axis=2) for _ in range(count)]


def shown(data):
    """Mean shade and duration of each frame."""
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for number in range(image.n_frames):
            image.seek(number)
            found.append((np.asarray(image.convert("L")).astype(float), image.info["duration"]))
    return found


def test_animation_shows_every_frame_and_rests_on_the_last():
    drawn = frames(4)
    found = shown(pictures.animation(drawn, milliseconds=120))
    assert [duration for _, duration in found] == [120, 120, 120, 2120]
    for (seen, _), frame in zip(found, drawn):
        assert abs(seen - frame[..., 0]).max() < 16  # 32 shades


def test_a_large_animation_keeps_every_second_frame_and_the_last():
    drawn = frames(7)
    size = len(pictures.animation(drawn))
    data = pictures.animation(drawn, limit=size - 1)
    assert len(data) < size
    for (seen, _), frame in zip(shown(data), drawn[::2], strict=True):
        assert abs(seen - frame[..., 0]).max() < 16
    assert len(shown(pictures.animation(drawn, limit=1))) == 1


def texts(svg: bytes) -> list[str]:
    return [element.text for element in xml.etree.ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")]


def test_curves_name_their_axes_and_lines_as_they_are():
    lines = [pictures.Line("run $1$", [0, 1, 2], [1.0, 3.0, 2.0], "#ff0000"),
             pictures.Line("_b_2", [0, 1], [2.0, 2.0], "#00ff00"), pictures.Line("", [0, 1], [3.0, 3.0], "#0000ff")]
    svg = pictures.line_chart(pictures.Chart(lines, "iteration", "d-cost", marks=[1]))
    assert {"iteration", "d-cost", "run $1$", "_b_2"} <= set(texts(svg))
    assert b"#ff0000" in svg and b"#00ff00" in svg and b"#0000ff" in svg


def test_percentages_span_the_whole_range():
    chart = pictures.Chart([pictures.Line("a", [5, 10], [50.0, 51.0], "#000000")], "x", "y", percent=True)
    assert {"0", "20", "40", "60", "80", "100"} <= set(texts(pictures.line_chart(chart)))


def test_charts_stand_side_by_side_in_the_size_asked_for():
    chart = pictures.Chart([pictures.Line("a", [0, 1], [1.0, 2.0])], "x", "y")
    for kind, width in (("png", 480), ("jpg", 480)):
        picture = pictures.line_chart(chart, chart, kind=kind, size=(2, 1.5))
        assert Image.open(io.BytesIO(picture)).size == (width, 180)


def test_what_is_no_number_leaves_a_gap():
    lines = [pictures.Line("a", [0, 1, 2, 3, 10**400], [1.0, float("nan"), float("inf"), 1e300, None])]
    assert b"<svg" in pictures.line_chart(pictures.Chart(lines, "x", "y"))
    assert b"<svg" in pictures.line_chart(pictures.Chart([pictures.Line("a", [], [])], "x", "y", logarithmic=True))


def test_a_long_line_keeps_its_extremes():
    values = np.sin(np.arange(50_000)) + np.linspace(0, 5, 50_000)
    values[[17, 40_000]] = -9, 20
    _, y = pictures._thinned(np.arange(50_000), values)
    assert len(y) <= 1200 and y.min() == -9 and y.max() == 20 and 17 in _


def test_no_setting_of_the_user_changes_a_chart():
    chart = pictures.Chart([pictures.Line("a", [0, 1], [1.0, 2.0])], "x", "y")
    drawn = pictures.line_chart(chart, kind="png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30}):
        assert pictures.line_chart(chart, kind="png") == drawn


def test_scatter_draws_every_point():
    clouds = [pictures.Points("real", np.zeros([3, 2]), "#b5b5b5"), pictures.Points("run", np.ones([4, 2]), "#ff0000")]
    svg = pictures.scatter(clouds, np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert {"real", "run"} <= set(texts(svg))
    # One mark in the legend for each cloud.
    assert svg.count(b"fill: #b5b5b5") == 3 + 1 and svg.count(b"fill: #ff0000") == 4 + 1


def test_colours_differ():
    assert len(set(pictures.colours(10))) == len(set(pictures.colours(10, ordered=True))) == 10
