"""Samples as files: one .npz, or a folder of PNGs. As they come, whatever their number; complete or absent."""

import contextlib
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from lib import files
from lib.sample.model import Drawn, Model
from lib.tf1.files import temporary_directory


def write(path: Path, batches: Iterable[Drawn], count: int, model: Model) -> None:
    """An .npz where the path ends so, else a folder; `count`: images in all.

    Raises:
      UserError: it cannot be written.
    """
    files.make_directory(path.parent, "choose another --out")
    write_npz(path, batches, count, model) if path.suffix == ".npz" else write_folder(path, batches, model)


def write_npz(path: Path, batches: Iterable[Drawn], count: int, model: Model) -> None:
    """`images` uint8 [count, h, w, c], `labels` (memoryGAN: `slots`) int32 [count], `z` float32 [count, size].

    A file in an archive is written in one go, so that the columns lie beside it while they grow.
    """
    columns = {"images": ("|u1", model.shape), "slots" if model.by == "slot" else "labels": ("<i4", ()),
               "z": ("<f4", (model.z_size,))}
    with temporary_directory(path) as directory:
        with contextlib.ExitStack() as opened:
            arrays = [opened.enter_context(open(directory / f"{name}.npy", "wb")) for name in columns]
            for array, (kind, shape) in zip(arrays, columns.values()):
                np.lib.format.write_array_header_1_0(
                    array, {"descr": kind, "fortran_order": False, "shape": (count, *shape)})
            for drawn in batches:
                for array, column, (kind, _) in zip(arrays, drawn, columns.values()):
                    array.write(column.astype(kind).tobytes())
        archive = directory / path.name
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in columns:
                packed.write(directory / f"{name}.npy", f"{name}.npy")
        files.to_disk(archive)
        os.replace(archive, path)


def write_folder(path: Path, batches: Iterable[Drawn], model: Model) -> None:
    """A PNG per image, grey or RGB, named as `model.file` says."""
    with temporary_directory(path) as directory:
        images = directory / path.name  # the temporary directory itself is removed
        number = 0
        for drawn in batches:
            for image, label in zip(drawn.images, drawn.labels):
                file = images / model.file(int(label), number)
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file)
                number += 1
        os.rename(images, path)
