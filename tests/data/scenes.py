"""Small pictures like LSUN's four scenes, drawn with Pillow, and folders of them in the original's layout."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from tests import written

WIDTH, HEIGHT = 96, 72


class _Scene(NamedTuple):
    """Colours, and places in parts of the picture: (left, top, right, bottom)."""

    background: tuple
    ground: tuple
    horizon: float
    boxes: list[tuple[tuple, tuple]]  # colour and place
    roof: tuple | None = None  # place of a triangle


_WALL, _FLOOR, _SKY, _GRASS = (200, 185, 160), (120, 85, 55), (130, 180, 235), (80, 140, 60)
_ROOF = (110, 60, 50)
_SCENES = {
    "bedroom": _Scene(_WALL, _FLOOR, 0.6, [((170, 210, 240), (0.1, 0.1, 0.35, 0.4)),  # window, bed, pillow
                                           ((190, 60, 70), (0.3, 0.55, 0.9, 0.85)),
                                           ((245, 245, 240), (0.3, 0.45, 0.5, 0.6))]),
    "kitchen": _Scene(_WALL, _FLOOR, 0.7, [((150, 110, 70), (0.05, 0.1, 0.95, 0.3)),  # cupboards, counter, stove
                                           ((210, 210, 210), (0.05, 0.5, 0.95, 0.8)),
                                           ((60, 60, 65), (0.4, 0.55, 0.6, 0.8))]),
    "church_outdoor": _Scene(_SKY, _GRASS, 0.85, [((200, 190, 170), (0.2, 0.45, 0.8, 0.9))], (0.15, 0.1, 0.85, 0.47)),
    "tower": _Scene(_SKY, _GRASS, 0.85, [((170, 160, 150), (0.42, 0.2, 0.58, 0.9))], (0.38, 0.05, 0.62, 0.22)),
}


def picture(name: str, number: int) -> np.ndarray:
    """The `number`th picture of a scene, uint8 [72, 96, 3]: colours and places vary a little."""
    scene, random = _SCENES[name], np.random.RandomState(number)

    def colour(mean):
        return tuple(np.clip(np.asarray(mean) + random.randint(-20, 21, 3), 0, 255).tolist())

    def place(box):
        shift = random.uniform(-0.05, 0.05)
        return tuple(int(size * (part + shift)) for part, size in zip(box, (WIDTH, HEIGHT) * 2))

    image = Image.new("RGB", (WIDTH, HEIGHT), colour(scene.background))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, int(scene.horizon * HEIGHT), WIDTH, HEIGHT), colour(scene.ground))
    for mean, box in scene.boxes:
        draw.rectangle(place(box), colour(mean))
    if scene.roof:
        left, top, right, bottom = place(scene.roof)
        draw.polygon([(left, bottom), ((left + right) // 2, top), (right, bottom)], colour(_ROOF))
    return np.asarray(image)


def write_lsun(data_dir, train: int, val: int) -> None:
    """So many JPEG files of each scene as `<data_dir>/lsun/<class>/train/*` and `val/*`."""
    for name in _SCENES:
        for split, numbers in (("train", range(train)), ("val", range(train, train + val))):
            for number in numbers:
                written.put(os.path.join(data_dir, "lsun", name, split, f"{number:05}.jpg"),
                            written.image(picture(name, number), "JPEG"))
