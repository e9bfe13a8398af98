"""Image files in folders, as LSUN's original layout has them: listed in a fixed order, decoded one at a time."""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from lib.data import lmdb_folder
from lib.errors import UserError, reason

# A small file can declare a picture that fills the memory. Scenes of 8000 x 8000 are welcome, larger ones are not.
MAX_PIXELS = 64_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".pgm")

# Above a larger limit of its own Pillow first warns; that is an error too.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Images(NamedTuple):
    """Images in storage: `decode(paths[i], side)` is uint8 [side, side, 3]. See `streams.FolderBatches`."""

    paths: Sequence  # of files, or keys of records
    decode: Callable[[object, int], np.ndarray]


def of_class(data_dir: str, name: str, class_name: str, split: str) -> Images:
    """A class of a data set like LSUN (`split`: "train" or "val"), in the order of the files' names.

    They lie in `<data_dir>/<name>/<class>/<split>/*` as in the original, or in the LMDB folder that LSUN
    distributes, `<data_dir>/<name>/<class>_<split>_lmdb`. Raises `UserError` where there are none.
    """
    folder = os.path.join(data_dir, name, class_name, split)
    database = os.path.join(data_dir, name, f"{class_name}_{split}_lmdb")
    if os.path.isdir(folder):
        return Images(files(folder), decode)
    if os.path.isdir(database):
        stored = lmdb_folder.Records(database)
        return Images(stored.keys, lambda key, side: decode_stream(stored.open(key), side, stored.name(key)))
    raise UserError(f"{name}: neither images in {folder} nor LSUN's database in {database}; put one of them there "
                    f"(https://github.com/fyu/lsun downloads it), or say --data_dir")


def files(folder: str, recursive: bool = False) -> list[str]:
    """Paths of the image files in a folder, or also in those below it, sorted. Raises `UserError` if there is none."""
    def fail(error):
        raise UserError(f"{folder}: cannot be listed ({error.strerror}); a folder of images was expected")

    found = []
    for parent, below, names in os.walk(folder, onerror=fail):
        found += [os.path.join(parent, name) for name in names
                  if name.lower().endswith(_ENDINGS) and not name.startswith(".")]
        if not recursive:
            below.clear()
    if not found:
        raise UserError(f"{folder}: no image files ({', '.join(_ENDINGS)}) there; put the images into it")
    return sorted(found)


def decode(path: str, side: int, crop: bool = False) -> np.ndarray:
    """An image file as uint8 RGB [side, side, 3], resized with Pillow's bilinear filter as in the original's loader.

    `crop`: cut the largest square out of the middle first, instead of squeezing. Grey files, on which the original
    stops, become RGB. Raises `UserError` for what is no image, is damaged, or has more than `MAX_PIXELS` pixels.
    """
    return decode_stream(path, side, path, crop)


def decode_stream(file, side: int, name: str, crop: bool = False) -> np.ndarray:
    """The same from a path or an open binary file; `name` stands in messages."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UserError(f"{name}: declares {image.width} x {image.height} pixels, more than {MAX_PIXELS}; "
                                f"remove it or make it smaller")
            return fit(image, side, crop)
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them run into
        raise UserError(f"{name}: cannot be decoded ({reason(error)}); an image ({', '.join(_FORMATS)}) was "
                        f"expected; fetch it again or remove it") from error


def fit(image: Image.Image, side: int, crop: bool) -> np.ndarray:
    """A picture as uint8 RGB [side, side, 3], by Pillow's bilinear filter; `crop` as above."""
    if crop:
        edge = min(image.size)
        left, top = (image.width - edge) // 2, (image.height - edge) // 2
        image = image.crop((left, top, left + edge, top + edge))
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
