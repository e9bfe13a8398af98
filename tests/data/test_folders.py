"""Image files: which are found, in which order, and what they become."""

import json
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lib.data import folders
from lib.errors import UserError
from tests import written
from tests.golden import records

GOLDEN = json.loads((pathlib.Path(records.__file__).parent / "figures" / "mergan_data.json").read_text())
PICTURE = written.random_images(1, 20, 3)[0]


def decode(tmp_path, data, side=20, name="file"):
    return folders.decode(written.put(tmp_path / name, data), side)


@pytest.mark.parametrize("case", GOLDEN["cases"]["lsun_resize"], ids=lambda case: case["key"])
def test_golden_resize(tmp_path, case):
    size = case["key"].rsplit("_", 1)[1]
    height, width = map(int, size.split("x"))
    source = records.floored(case["key"], (height, width, 3), 0, 256).astype(np.uint8)
    resized = decode(tmp_path, written.image(source), 64)
    assert resized.dtype == np.uint8 and int(resized.sum()) == case["sum"]
    assert resized[0, :6].tolist() == case["row0_first6_pixels"]
    assert resized[31, :6].tolist() == case["row31_first6_pixels"]
    key = f"data/lsun/resized_from_{size}"
    for field, value in GOLDEN["tensors"][key].items():
        np.testing.assert_allclose(records.digest(resized, key)[field], value, rtol=1e-8)


def test_formats_and_modes_become_rgb(tmp_path):
    grey = PICTURE[..., 0]
    for kind, options in (("PNG", {}), ("BMP", {}), ("PPM", {}), ("WEBP", {"lossless": True})):
        np.testing.assert_array_equal(decode(tmp_path, written.image(PICTURE, kind, **options)), PICTURE)
    # The original stops on grey files.
    np.testing.assert_array_equal(decode(tmp_path, written.image(grey)), np.repeat(grey[..., None], 3, axis=-1))
    opaque = np.concatenate([PICTURE, np.full((20, 20, 1), 255, np.uint8)], axis=-1)
    np.testing.assert_array_equal(decode(tmp_path, written.image(opaque)), PICTURE)
    smooth = np.asarray(Image.fromarray(PICTURE[:2, :2]).resize((20, 20)))
    assert np.abs(decode(tmp_path, written.image(smooth, "JPEG", quality=95)).astype(int) - smooth).mean() < 8


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")  # as the module sets it; pytest resets it
@pytest.mark.parametrize("width, height", [(8001, 8000), (10000, 9000), (60000, 60000), (2**31 - 1, 2**31 - 1)])
def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path, width, height):
    with pytest.raises(UserError, match="^[^\n]*(pixels|decompression bomb)[^\n]*$"):
        decode(tmp_path, png(width, height, bytes(1000)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "PPM"])
def test_truncations_are_refused(tmp_path, kind):
    data = written.image(PICTURE, kind)
    for length in [*range(0, 60), *range(60, len(data) - 20, 101), len(data) // 2]:
        with pytest.raises(UserError, match="file: cannot be decoded"):
            decode(tmp_path, data[:length])


def test_other_files_are_refused(tmp_path):
    for data in (b"", b"text", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"):
        with pytest.raises(UserError, match="cannot be decoded"):
            decode(tmp_path, data)
    with pytest.raises(UserError, match="No such file"):
        folders.decode(str(tmp_path / "absent"), 8)


def test_files_are_sorted_and_only_images(tmp_path):
    for name in ("b.png", "a.JPG", "c.webp", ".hidden.png", "Thumbs.db", "readme.txt", "below/a.png"):
        written.put(tmp_path / name, b"")
    images = ("a.JPG", "b.png", "below/a.png", "c.webp")
    assert folders.files(str(tmp_path)) == [str(tmp_path / name) for name in images]


def test_folders_without_images_are_errors(tmp_path):
    written.put(tmp_path / "readme.txt", b"")
    for folder, message in ((tmp_path, "no image files"), (tmp_path / "absent", "cannot be listed")):
        with pytest.raises(UserError, match=message):
            folders.files(str(folder))


def test_original_layout_of_lsun(tmp_path):
    for name in ("2.png", "1.png"):
        written.put(tmp_path / "lsun" / "tower" / "train" / name, written.image(PICTURE))
    images = folders.of_class(str(tmp_path), "lsun", "tower", "train")
    assert [pathlib.Path(path).name for path in images.paths] == ["1.png", "2.png"]
    np.testing.assert_array_equal(images.decode(images.paths[1], 20), PICTURE)
    with pytest.raises(UserError, match="neither images in .*tower/val nor LSUN's database in .*tower_val_lmdb"):
        folders.of_class(str(tmp_path), "lsun", "tower", "val")
