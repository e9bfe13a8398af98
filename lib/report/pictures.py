"""Makers of pictures: arrays in, one picture out. Photographs and digits as pixels, curves and points as SVG."""

import io
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from lib.errors import UserError

_GAP = 2  # pixels between tiles
_PAPER, _INK, _BLANK = (255, 255, 255), (40, 40, 40), (240, 240, 240)
_FONT_SIZE = 13
_MARKED = 12  # a line of no more points than this shows them
_LINE = 18  # height of a line of text
# Text stays text, which the reader's fonts draw; nothing in a run's name is taken for a formula.
_SVG = {"svg.fonttype": "none", "svg.hashsalt": "report", "font.family": "sans-serif", "text.parse_math": False}


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
    top = _LINE * (bool(title) + bool(column_labels))
    picture = Image.new("RGB", (left + columns * (width + _GAP) + _GAP, top + len(rows) * (height + _GAP) + _GAP),
                        _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((left + _GAP, _LINE // 2), title, _INK, font, anchor="lm")

    def place(row, column):
        return left + _GAP + column * (width + _GAP), top + _GAP + row * (height + _GAP)

    for row, label in enumerate(row_labels):
        draw.text((left - 6, place(row, 0)[1] + height // 2), label, _INK, font, anchor="rm")
    for column, label in enumerate(column_labels):
        draw.text((place(0, column)[0] + width // 2, top - _LINE // 2), label, _INK, font, anchor="mm")
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


def _image(picture: np.ndarray) -> Image.Image:
    """Of uint8 [height, width, 3], with one channel if it has no colours."""
    image = Image.fromarray(picture)
    return image.convert("L") if (picture == picture[..., :1]).all() else image


def as_png(picture: np.ndarray) -> bytes:
    """uint8 [height, width, 3] as a PNG, with one channel if it has no colours."""
    buffer = io.BytesIO()
    _image(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def animation(frames: list[np.ndarray], milliseconds: int = 200, limit: int = 1_000_000) -> bytes:
    """An endless GIF of frames uint8 [height, width, 3], the last one for two seconds more.

    Frames without colours keep all their shades, others 32 colours. Every second frame is left out, counted from the
    last, until the file is no larger than `limit` bytes.
    """
    images = [image if image.mode == "L" else image.quantize(32, dither=Image.Dither.NONE)
              for image in map(_image, frames)]
    while True:
        buffer = io.BytesIO()
        durations = [milliseconds] * (len(images) - 1) + [milliseconds + 2000]
        images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0,
                       optimize=True)
        if buffer.tell() <= limit or len(images) == 1:
            return buffer.getvalue()
        images = images[::-2][::-1]


class Line(NamedTuple):
    label: str
    x: list[float]
    y: list[float]
    colour: str


@matplotlib.rc_context(_SVG)
def curves(lines: list[Line], xlabel: str, ylabel: str, percent: bool = False) -> bytes:
    """Lines over a common axis of whole numbers, as SVG; `percent`: the other axis spans 0 to 100."""
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    for line in lines:
        marker = "o" if len(line.x) <= _MARKED else None
        axes.plot(line.x, line.y, color=line.colour, label=line.label, linewidth=1.0, marker=marker)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if percent:
        axes.set_ylim(0.0, 100.0)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8)
    return _as_svg(figure)


class Points(NamedTuple):
    label: str
    positions: np.ndarray  # [n, 2]
    colour: str


@matplotlib.rc_context(_SVG)
def scatter(clouds: list[Points], limits: tuple[np.ndarray, np.ndarray]) -> bytes:
    """Point clouds as SVG; the axes, which have no meaning in t-SNE, span `limits` (lowest and highest [2])."""
    figure = Figure(figsize=(4.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for cloud in clouds:
        axes.scatter(*cloud.positions.T, s=9, color=cloud.colour, label=cloud.label, linewidths=0)
    low, high = limits
    margin = 0.04 * (high - low)
    axes.set(xticks=[], yticks=[], xlim=(low[0] - margin[0], high[0] + margin[0]),
             ylim=(low[1] - margin[1], high[1] + margin[1]))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False, fontsize=8,
                  markerscale=1.6, handletextpad=0.1, columnspacing=0.8)
    return _as_svg(figure)


def embed(groups: list[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """One common t-SNE of groups of features [n, d]: positions [n, 2] of each."""
    features = np.concatenate(groups).astype(np.float64)
    if len(features) < 3:
        raise UserError("t-SNE needs at least three images")
    perplexity = min(30.0, (len(features) - 1) / 3)
    # Several threads add up in no fixed order, and t-SNE makes another picture of every rounding.
    with threadpool_limits(1):
        positions = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)
    return np.split(positions, np.cumsum([len(group) for group in groups])[:-1])


def colours(count: int, ordered: bool = False) -> list[str]:
    """Colours of things that differ in kind, or, if they are ordered, of steps from dark to light."""
    if ordered:
        shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.95, count))
    else:
        shades = matplotlib.colormaps["tab10"](np.arange(count) % 10)
    return [matplotlib.colors.to_hex(shade) for shade in shades]


def _as_svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
