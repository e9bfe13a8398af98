"""Image files in folders, as LSUN's original layout has them: listed in a fixed order, decoded one at a time."""

import os
import warnings

import numpy as np
from PIL import Image

from lib.errors import UserError

# A small file can declare a picture that fills the memory. Scenes of 8000 x 8000 are welcome, larger ones are not.
MAX_PIXELS = 64_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF")

# Pillow only warns of the first sizes above its own, larger, limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(path: str, side: int) -> np.ndarray:
    """An image file as uint8 RGB [side, side, 3], resized with Pillow's bilinear filter as the original's loader.

    Grey files, on which the original stops, become RGB. Raises `UserError` for what is no image, is damaged, or
    has more than `MAX_PIXELS` pixels.
    """
    return decode_stream(path, side, path)


def decode_stream(file, side: int, name: str) -> np.ndarray:
    """The same from a path or an open binary file; `name` stands in messages."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UserError(f"{name}: declares {image.width} x {image.height} pixels, more than {MAX_PIXELS}; "
                                f"remove it or make it smaller")
            resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them run into
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: cannot be decoded ({reason}); an image file ({', '.join(_FORMATS)}) was expected; "
                        f"fetch it again or remove it") from error
    return np.asarray(resized)
