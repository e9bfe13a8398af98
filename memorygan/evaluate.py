"""`--is_train=False`: the samples of a checkpoint, and what they are worth."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from lib import files
from lib import images as pictures
from memorygan import checkpoint
from memorygan.config import Config
from memorygan.step import Model, build_model
from memorygan.train import Sampler, sample_picture


def samples_directory(load_cp_dir: Path) -> Path:
    """`samples/<load_cp_dir>` as in the original; an absolute path keeps its names."""
    return Path("samples", *(part for part in load_cp_dir.parts if part not in (load_cp_dir.anchor, "..")))


def load(config: Config, load_cp_dir: Path) -> Model:
    """The model of the newest checkpoint in a directory, without its optimisers' state."""
    print(" [*] Reading checkpoints...")
    model = build_model(config)
    checkpoint.restore_model(checkpoint.latest(load_cp_dir), model.networks, model.memory)
    print(True, flush=True)
    return model


def generated(config: Config, model: Model, count: int):
    """Yields batches of generated images float32 [n, h, w, c], `count` in all, by moving statistics.

    Slots are drawn from the memory as the checkpoint has it; nothing is updated.
    """
    sampler = Sampler(config, model, training=False)
    for batch, start in enumerate(tqdm(range(0, count, config.batch_size), desc="generating", unit="batch",
                                       dynamic_ncols=True, disable=None)):
        yield sampler.draw("generate", batch)[1][:count - start]


def write_samples(path: Path, batches, shape: tuple) -> None:
    """Stream image batches into one .npy file of float32 `shape`, complete or absent."""
    with files.atomic(path) as temporary, open(temporary, "wb") as handle:
        np.lib.format.write_array_header_1_0(handle, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for images in batches:
            handle.write(images.astype("<f4").tobytes())


def run(config: Config, load_cp_dir: Path, data_dir: str, count: int) -> None:
    """Write `samples/<load_cp_dir>/samples_gen_0.npy` with `count` images, and a picture of the first 64."""
    model = load(config, load_cp_dir)
    print("[*] Test Start", flush=True)
    directory = samples_directory(load_cp_dir)
    files.make_directory(directory)
    path = directory / "samples_gen_0.npy"
    shape = (count, config.data.side, config.data.side, config.data.channels)
    write_samples(path, generated(config, model, count), shape)
    first = np.load(path, mmap_mode="r", allow_pickle=False)[:64]
    pictures.save_png(directory / "samples_gen_0.png", sample_picture(first))
    print(f"[*] Finished : {load_cp_dir}")
    print(f"saved at {path}", flush=True)
