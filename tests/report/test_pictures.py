"""Pictures against pixels computed by hand, and files read back by others."""

import io
import xml.etree.ElementTree

import numpy as np
import pytest
from PIL import Image

from lib.errors import UserError
from lib.report import pictures


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
        with Image.open(io.BytesIO(pictures.as_png(picture))) as image:
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
             pictures.Line("b_2", [0, 1], [2.0, 2.0], "#00ff00")]
    svg = pictures.curves(lines, "iteration", "d-cost")
    assert {"iteration", "d-cost", "run $1$", "b_2"} <= set(texts(svg))
    assert b"#ff0000" in svg and b"#00ff00" in svg


def test_percentages_span_the_whole_range():
    labels = texts(pictures.curves([pictures.Line("a", [5, 10], [50.0, 51.0], "#000000")], "x", "y", percent=True))
    assert {"0", "20", "40", "60", "80", "100"} <= set(labels)


def test_scatter_draws_every_point():
    clouds = [pictures.Points("real", np.zeros([3, 2]), "#b5b5b5"), pictures.Points("run", np.ones([4, 2]), "#ff0000")]
    svg = pictures.scatter(clouds, (np.zeros(2), np.ones(2)))
    assert {"real", "run"} <= set(texts(svg))
    # One mark in the legend for each cloud.
    assert svg.count(b"fill: #b5b5b5") == 3 + 1 and svg.count(b"fill: #ff0000") == 4 + 1


def test_embedding_keeps_clusters_apart_and_is_the_same_each_time():
    random = np.random.RandomState(2)
    groups = [random.normal(0, 1, [12, 8]), random.normal(40, 1, [9, 8])]
    first, second = pictures.embed(groups)
    assert first.shape == (12, 2) and second.shape == (9, 2)
    centre = first.mean(axis=0)
    inside = np.linalg.norm(first - centre, axis=1).max()
    assert np.linalg.norm(second - centre, axis=1).min() > inside
    assert all(np.array_equal(a, b) for a, b in zip(pictures.embed(groups), (first, second)))


def test_embedding_of_too_few_images():
    with pytest.raises(UserError, match="three"):
        pictures.embed([np.zeros([2, 4])])


def test_colours_differ():
    assert len(set(pictures.colours(10))) == len(set(pictures.colours(10, ordered=True))) == 10
