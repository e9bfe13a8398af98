"""Makers of all pictures: value ranges, grids, animations and charts. Arrays in, an array or a file's content out.

Images are NHWC. Inside the networks they are float in [-1, 1]; data sets and pictures are uint8 in 0..255.
"""

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from PIL import Image, ImageDraw, ImageFont

from lib import files
from lib.device import tf  # which leaves out TensorFlow's start-up lines

_GAP = 2  # pixels between tiles
_PAPER, _INK, _BLANK = (255, 255, 255), (40, 40, 40), (240, 240, 240)
_FONT_SIZE = 13
_LINE_HEIGHT = 18  # of text
_MARKED = 12  # a line of no more points than this shows them
_COLUMNS = 600  # of a chart: in each, a longer line is drawn from its lowest to its highest value
_LARGEST = 1e100  # what is larger is no figure but an accident, and charts leave it out
# Nobody's matplotlibrc changes what a run draws. In SVG text stays text; nothing in a name is taken for a formula.
_STYLE = {**matplotlib.rcParamsDefault, "font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "report",
          "font.family": "sans-serif", "text.parse_math": False}

# --- value ranges -----------------------------------------------------------------------------------------------------


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 0..255 -> float32 [-1, 1], with the roundings of the original: 2 (x * float32(1/255) - 0.5)."""
    return 2.0 * (tf.cast(images, tf.float32) * np.float32(1.0 / 255.0) - 0.5)


def to_classifier_input(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] -> whole numbers 0..256 as float32, what the evaluation classifiers were fed."""
    return tf.cast(tf.cast(images * 128.0 + 128.0, tf.int32), tf.float32)


def truncated_pixels(images: np.ndarray) -> np.ndarray:
    """Generated images in [-1, 1] -> int32 0..255 by truncation, as MeRGAN's original draws its samples."""
    return ((np.asarray(images, np.float32) + np.float32(1.0)) * np.float32(127.5)).astype(np.int32)


def groundtruth_pixels(images: np.ndarray) -> np.ndarray:
    """Real images in [-1, 1] -> int32 0..254: the original's factor for them is 127, by a floor division."""
    return ((np.asarray(images, np.float32) + np.float32(1.0)) * np.float32(127.0)).astype(np.int32)


def float_pixels(images: np.ndarray, unit_range: bool) -> np.ndarray:
    """Images in [0, 1] (`unit_range`) or [-1, 1] -> floats 0..255, neither rounded nor clipped."""
    return images * 255.0 if unit_range else (images + 1.0) * 127.5


def rounded_pixels(images: np.ndarray, unit_range: bool) -> np.ndarray:
    """Images in [0, 1] (`unit_range`) or [-1, 1], or somewhat outside -> the nearest uint8."""
    return np.clip(np.rint(float_pixels(images, unit_range)), 0, 255).astype(np.uint8)


# --- grids ------------------------------------------------------------------------------------------------------------


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """One picture [rows * h, columns * w, c] of images [n, h, w, c], row by row.

    Without `columns`, rows are the largest divisor of n up to its square root, as in the original.
    """
    count, height, width, channels = images.shape
    if columns is None:
        rows = next(rows for rows in range(math.isqrt(count), 0, -1) if count % rows == 0)
        columns = count // rows
    tiles = images.reshape(-1, columns, height, width, channels)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, channels)


def stretch(picture: np.ndarray) -> np.ndarray:
    """Rescale a picture so that its own extremes become 0 and 255 (uint8), as old SciPy's imsave did.

    Pixel values of two pictures can therefore not be compared. A constant picture becomes 0.
    """
    picture = np.asarray(picture, np.float64)
    low, high = picture.min(), picture.max()
    scaled = (picture - low) * (255.0 / (high - low)) if high > low else np.zeros_like(picture)
    return np.floor(np.clip(scaled, 0, 255) + 0.5).astype(np.uint8)


def labelled_grid(rows: list[list[np.ndarray | None]], row_labels: list[str] = (), column_labels: list[str] = (),
                  title: str = "", side: int = 0) -> np.ndarray:
    """A picture uint8 [height, width, 3] of tiles in rows and columns, with a gap of two pixels around each.

    Args:
      rows: tiles uint8 [h, w, 1 or 3], all of one size; None, or a missing one at the end of a row, stays blank.
      side: tiles are enlarged by the largest whole factor that keeps them within it.
    """
    height, width = next(tile.shape[:2] for row in rows for tile in row if tile is not None)
    factor = max(1, side // max(height, width))
    height, width, columns = height * factor, width * factor, max(map(len, rows))
    font = ImageFont.load_default(_FONT_SIZE)
    left = int(max((font.getlength(label) for label in row_labels), default=-8)) + 8
    top = _LINE_HEIGHT * (bool(title) + bool(column_labels))
    picture = Image.new("RGB", (left + columns * (width + _GAP) + _GAP, top + len(rows) * (height + _GAP) + _GAP),
                        _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((left + _GAP, _LINE_HEIGHT // 2), title, _INK, font, anchor="lm")

    def place(row, column):
        return left + _GAP + column * (width + _GAP), top + _GAP + row * (height + _GAP)

    for row, label in enumerate(row_labels):
        draw.text((left - 6, place(row, 0)[1] + height // 2), label, _INK, font, anchor="rm")
    for column, label in enumerate(column_labels):
        draw.text((place(0, column)[0] + width // 2, top - _LINE_HEIGHT // 2), label, _INK, font, anchor="mm")
    for row, tiles in enumerate(rows):
        for column in range(columns):
            x, y = place(row, column)
            tile = tiles[column] if column < len(tiles) else None
            if tile is None:
                draw.rectangle((x, y, x + width - 1, y + height - 1), _BLANK)
            else:
                rgb = np.broadcast_to(tile, (*tile.shape[:2], 3)).repeat(factor, axis=0).repeat(factor, axis=1)
                picture.paste(Image.fromarray(rgb), (x, y))
    return np.asarray(picture)


# --- files ------------------------------------------------------------------------------------------------------------


def _without_needless_channels(picture: np.ndarray) -> Image.Image:
    """Of uint8 [height, width, 3], with one channel if it has no colours."""
    image = Image.fromarray(picture)
    return image.convert("L") if (picture == picture[..., :1]).all() else image


def as_png(picture: np.ndarray, small: bool = False) -> bytes:
    """uint8 [h, w, 1 or 3] as an RGB PNG; `small`: with one channel if it has no colours, and as small as can be."""
    rgb = np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))
    buffer = io.BytesIO()
    image = _without_needless_channels(rgb) if small else Image.fromarray(rgb)
    image.save(buffer, format="PNG", optimize=small)
    return buffer.getvalue()


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write uint8 [h, w, 1 or 3] as an RGB PNG, complete or not at all."""
    files.write_bytes(path, as_png(picture))


def save_grid(path: Path, pixels: np.ndarray, columns: int | None = None) -> None:
    """Write int pixels [n, h, w, c] as the original writes a grid: arranged, stretched, three channels."""
    save_png(path, stretch(grid(pixels, columns)))


def animation(frames: list[np.ndarray], milliseconds: int = 200, limit: int = 1_000_000) -> bytes:
    """An endless GIF of frames uint8 [height, width, 3], the last one for two seconds more.

    Frames without colours keep all their shades, others 32 colours. Every second frame is left out, counted from the
    last, until the file is no larger than `limit` bytes.
    """
    images = [image if image.mode == "L" else image.quantize(32, dither=Image.Dither.NONE)
              for image in map(_without_needless_channels, frames)]
    while True:
        buffer = io.BytesIO()
        durations = [milliseconds] * (len(images) - 1) + [milliseconds + 2000]
        images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0,
                       optimize=True)
        if buffer.tell() <= limit or len(images) == 1:
            return buffer.getvalue()
        images = images[::-2][::-1]


# --- charts -----------------------------------------------------------------------------------------------------------


def rendered(draw: Callable[[Figure], None], size: tuple[float, float], kind: str, dpi: int = 120,
             layout: str | None = "constrained") -> bytes:
    """What `draw` puts on a figure of so many inches, as "svg", "png" or "jpg"; `dpi`: pixels per inch."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout=layout)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=dpi, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


class Line(NamedTuple):
    label: str  # "": not in the legend
    x: Sequence[float]
    y: Sequence[float]
    colour: str | None = None  # None: the next one
    faint: bool = False  # the single values behind a line of means


class Chart(NamedTuple):
    """One panel of lines over whole numbers."""

    lines: Sequence[Line]
    xlabel: str
    ylabel: str
    title: str = ""
    percent: bool = False  # the vertical axis spans 0 to 100
    logarithmic: bool = False  # the vertical axis
    marks: Sequence[float] = ()  # where something begins: vertical lines
    plain: bool = False  # a thin line and nothing else, as MeRGAN's original draws its log


def line_chart(*charts: Chart, kind: str = "svg", size: tuple[float, float] = (5.2, 3.4), dpi: int = 120) -> bytes:
    """Charts side by side, each of `size` inches, as "svg", "png" or "jpg"."""
    def draw(figure):
        for axes, chart in zip(figure.subplots(1, len(charts), squeeze=False)[0], charts):
            _draw_lines(axes, chart)

    # Room for the labels is looked for by drawing all twice; the original's charts have fixed margins.
    layout = None if all(chart.plain for chart in charts) else "constrained"
    return rendered(draw, (size[0] * len(charts), size[1]), kind, dpi, layout)


def _draw_lines(axes, chart: Chart) -> None:
    axes.set(xlabel=chart.xlabel, ylabel=chart.ylabel)
    if chart.plain:
        for line in chart.lines:
            axes.plot(line.x, line.y, linewidth=0.6)
        return
    named = {}
    for line in chart.lines:
        x, y = _thinned(_drawable(line.x), _drawable(line.y))
        (drawn,) = axes.plot(x, y, color=line.colour, linewidth=0.6 if line.faint else 1.0,
                             alpha=0.5 if line.faint else 1.0, marker="o" if len(x) <= _MARKED else None, markersize=4)
        if line.label:
            named[line.label] = drawn
    for mark in _drawable(chart.marks):
        axes.axvline(mark, color="#666666", linewidth=0.8, linestyle=":")
    axes.set_title(chart.title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if chart.percent:
        axes.set_ylim(0.0, 100.0)
    if chart.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatter())  # the usual one writes formulas
        axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.0, 0.4)))
    axes.grid(color="#dddddd", linewidth=0.6)
    # Handles and labels by name: a legend of its own accord leaves out what begins with an underscore.
    if named:
        axes.legend(named.values(), named.keys(), frameon=False, fontsize=8)


def heat_map(percentages: np.ndarray, rows: Sequence[str], columns: Sequence[str], xlabel: str, ylabel: str) -> bytes:
    """A table of percentages [rows, columns] as SVG, each on a shade of its own; NaN stays blank."""
    def draw(figure):
        axes = figure.subplots()
        axes.imshow(percentages, cmap="viridis", vmin=0.0, vmax=100.0, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, rotation=45 if max(map(len, columns)) > 3 else 0)
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        for (row, column), value in np.ndenumerate(percentages):
            if np.isfinite(value):
                axes.text(column, row, f"{value:.0f}", ha="center", va="center",
                          color="black" if value > 50.0 else "white", fontsize=7)

    return rendered(draw, (1.4 + 0.42 * len(columns), 1.0 + 0.3 * len(rows)), "svg")


def _drawable(values: Sequence[float]) -> np.ndarray:
    """float64 [n]; what is no number, or too large for a picture, becomes NaN, which leaves a gap."""
    def one(value):
        try:
            value = float(value)
        except (TypeError, ValueError, OverflowError):
            return math.nan
        return value if abs(value) < _LARGEST else math.nan

    return np.array([one(value) for value in values], np.float64)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest of every column of points, where there are many more points than columns."""
    if len(x) <= 4 * _COLUMNS:
        return x, y
    kept = set()
    for part in np.array_split(np.arange(len(x)), _COLUMNS):
        known = part[np.isfinite(y[part])]
        if len(known):
            kept |= {known[np.argmin(y[known])], known[np.argmax(y[known])]}
    kept = np.array(sorted(kept), int)
    return x[kept], y[kept]


class Points(NamedTuple):
    label: str
    positions: np.ndarray  # [n, 2]
    colour: str


def scatter(clouds: Sequence[Points], spanned: np.ndarray) -> bytes:
    """Point clouds as SVG; the axes, which have no meaning in t-SNE, span these positions [n, 2]."""
    low, high = spanned.min(axis=0), spanned.max(axis=0)
    margin = 0.04 * (high - low)

    def draw(figure):
        axes = figure.subplots()
        shown = [axes.scatter(*cloud.positions.T, s=9, color=cloud.colour, linewidths=0) for cloud in clouds]
        axes.set(xticks=[], yticks=[], xlim=(low[0] - margin[0], high[0] + margin[0]),
                 ylim=(low[1] - margin[1], high[1] + margin[1]))
        figure.legend(shown, [cloud.label for cloud in clouds], loc="outside lower center", ncols=6,
                      frameon=False, fontsize=8, markerscale=1.6, handletextpad=0.1, columnspacing=0.8)

    return rendered(draw, (4.2, 4.4), "svg")


def colours(count: int, ordered: bool = False) -> list[str]:
    """Colours of things that differ in kind, or, if they are ordered, of steps from dark to light."""
    if ordered:
        shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.95, count))
    else:
        shades = matplotlib.colormaps["tab10"](np.arange(count) % 10)
    return [matplotlib.colors.to_hex(shade) for shade in shades]
