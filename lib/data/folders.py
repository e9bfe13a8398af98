"""Image files in folders, as LSUN's original layout has them: listed in a fixed order, decoded one at a time."""

import os
import stat
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from lib.data import lmdb_folder
from lib.errors import UserError, reason

# A small file can declare a picture that fills the memory. Scenes of 8000 x 8000 are welcome, larger ones are not.
MAX_PIXELS = 64_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF", "JPEG2000")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".pgm", ".pbm", ".gif", ".tif", ".tiff", ".jp2")

# Above a larger limit of its own Pillow first warns; that is an error too.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Images(NamedTuple):
    """Images in storage: `decode(paths[i], side)` is uint8 [side, side, c]. See `batching.FolderBatches`."""

    paths: Sequence  # of files, or keys of records
    decode: Callable[[object, int], np.ndarray]


def of_class(data_dir: str, name: str, class_name: str, split: str) -> Images:
    """A class of a data set like LSUN (`split`: "train" or "val"), in the order of the files' names.

    They lie in `<data_dir>/<name>/<class>/<split>/*` as in the original, or in the LMDB folder that LSUN
    distributes, `<data_dir>/<name>/<class>_<split>_lmdb`. Raises `UserError` where there are none.
    """
    folder = os.path.join(data_dir, name, class_name, split)
    database = os.path.join(data_dir, name, f"{class_name}_{split}_lmdb")
    if is_directory(folder):
        return Images(files(folder), decode)
    if is_directory(database):
        stored = lmdb_folder.Records(database)
        return Images(stored.keys, lambda key, side: decode_stream(stored.open(key), side, stored.name(key)))
    raise UserError(f"{name}: neither images in {folder} nor LSUN's database in {database}; put one of them there "
                    f"(https://github.com/fyu/lsun downloads it), or say --data_dir")


def is_directory(path: str) -> bool:
    """Whether there is a directory. Raises `UserError` where that cannot be seen: it may be there."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise UserError(f"{path} is a link to {os.readlink(path)}, which is not there") from None
        return False
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; the data may lie there, so nothing else is read instead") from error


def entries(folder: str) -> dict[str, bool]:
    """{path: whether it is a folder} of what lies in a folder, sorted; hidden entries are left out.

    Raises `UserError` where it cannot be seen: what is looked for may be there.
    """
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
        return {entry.path: entry.is_dir() for entry in found if not entry.name.startswith(".")}
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror}); the data may lie there, so nothing else is "
                        "read instead") from error


def files(folder: str) -> list[str]:
    """Paths of the image files in a folder and in those below it, sorted; linked folders count, hidden ones do not.

    Raises `UserError` if there is none, or a folder or a link that cannot be followed.
    """
    found = sorted(_walk(folder, set()))
    if not found:
        raise UserError(f"{folder}: no image files ({', '.join(_ENDINGS)}) there; put the images into it")
    return found


def _walk(folder: str, above: set[str]):
    """Yields the image files at any depth. `above`: true paths of the folders around it, which no link may enter."""
    here = os.path.realpath(folder)
    if here in above:
        return
    for path, is_folder in entries(folder).items():
        if is_folder:
            yield from _walk(path, above | {here})
        elif path.lower().endswith(_ENDINGS):
            if not os.path.isfile(path):
                raise UserError(f"{path}: a link to nothing, or no file; an image was expected; remove it")
            yield path


def decode(path: str, side: int, crop: bool = False, grey: bool = False) -> np.ndarray:
    """An image file as uint8 RGB [side, side, 3], resized with Pillow's bilinear filter as in the original's loader.

    `crop`: cut the largest square out of the middle first, instead of squeezing. Grey files, on which the original
    stops, become RGB; with `grey` all become grey, [side, side, 1]. Raises `UserError` for what is no image, is
    damaged, or has more than `MAX_PIXELS` pixels.
    """
    return decode_stream(path, side, path, crop, grey)


def decode_stream(file, side: int, name: str, crop: bool = False, grey: bool = False) -> np.ndarray:
    """The same from a path or an open binary file; `name` stands in messages."""
    return _of_opened(file, name, lambda image: fit(image, side, crop, grey))


def header(path: str) -> tuple[bool, tuple[int, int]]:
    """Whether an image file is grey, by its mode, and its width and height. Raises `UserError` as `decode`."""
    return _of_opened(path, path, lambda image: (
        image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I"), image.size))


def _of_opened(file, name: str, use: Callable[[Image.Image], object]):
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UserError(f"{name}: declares {image.width} x {image.height} pixels, more than {MAX_PIXELS}; "
                                f"remove it or make it smaller")
            return use(image)
    except UserError as error:
        raise error if str(error).startswith(name) else UserError(f"{name}: {error}") from error
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them run into
        raise UserError(f"{name}: cannot be decoded ({reason(error)}); an image ({', '.join(_FORMATS)}) was "
                        f"expected; fetch it again or remove it") from error


def fit(image: Image.Image, side: int, crop: bool, grey: bool = False) -> np.ndarray:
    """A picture as uint8 RGB [side, side, 3], by Pillow's bilinear filter; `crop` and `grey` as above."""
    if crop:
        edge = min(image.size)
        left, top = (image.width - edge) // 2, (image.height - edge) // 2
        image = image.crop((left, top, left + edge, top + edge))
    image = eight_bits(image).convert("L" if grey else "RGB")
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)).reshape(side, side, -1)


def eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 bits per value at 8, which Pillow would cut off at 255 instead. Others are left as they are.

    Raises `UserError` for floats, whose range no file tells.
    """
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise UserError(f"values from {values.min()} to {values.max()}, where 16 bits hold 0 to 65535; save it "
                            "with 8 bits")
        return Image.fromarray((values // 257).astype(np.uint8))
    if image.mode == "F":
        raise UserError("floating-point values, whose range is not known; save it with 8 bits")
    return image
