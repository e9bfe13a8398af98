"""Images from a trained run or a checkpoint, into one .npz file or a folder of PNGs.

    python -m lib.sample result/mnist_RA --classes 3,7 --count 1000 --out samples.npz
    python -m lib.sample result/mnist_RA --classes 7 --count 1000 --out sevens
    python -m lib.sample model/WGAN_GP.model9-4000 --model mergan-mnist --count 1000 --out samples.npz
    python -m lib.sample memorygan/logs/0/<stamp> --slots 5,17 --count 100 --out samples.npz
    python -m lib.sample lvae/experiment_0 --reconstruct images.npz --out reconstructions

A run is the directory that training wrote its settings.json to, a checkpoint a path without .index or .data.
"""

import dataclasses
import os
from pathlib import Path

from lib import errors
from lib.errors import UserError
from lib.run.flags import Parser
from lib.run.settings import Checked, FilePath, setting


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is asked for, and where it goes."""

    classes: tuple[str, ...] = setting((), "MeRGAN's classes, by number or name, or the Lifelong VAE's latent classes, "
                                           "with commas between; none: all that it has learned.")
    slots: tuple[str, ...] = setting((), "memoryGAN's slots, by number; none: drawn as in training.")
    reconstruct: FilePath = setting("", "In place of samples, what a VAE makes of these images: an .npz with uint8 "
                                        "`images` [n, h, w, 1 or 3], or a folder of image files.")
    count: int = setting(100, "Images in all, spread evenly over the classes or slots.", least=1)
    out: FilePath = setting("", "Where to write: <name>.npz, with images, labels (or slots) and z, else a new folder "
                                "of PNGs.")
    task: int = setting(0, "The state of a run after so many tasks (memoryGAN: epochs); 0: the newest.", least=0)
    model: str = setting("", "What a checkpoint is of, where nothing says it: a name that python -m lib.tf1 list "
                             "prints, as mergan-mnist.")
    seed: int = setting(0, "Same seed and batch, same images of a class, whatever else is asked for.", least=0,
                        most=2**31 - 1)
    batch: int = setting(0, "Images that pass the generator together; 0: as many as the system does. MeRGAN's batch "
                            "norm takes the statistics of the batch, so another size gives other images.", least=0)


def given_images(path: Path, side: int):
    """uint8 [n, h, w, 1 or 3] of an .npz, or of a folder's image files by name, each brought to `side`.

    Raises:
      UserError: no such file, or no such images in it.
    """
    import numpy as np

    from lib.data import folders

    if path.is_dir():
        return np.stack([folders.decode(one, side) for one in folders.files(str(path))])
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images = arrays["images"]
    except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise UserError(f"--reconstruct={path}: {errors.reason(error)}; give an .npz with `images`, or a folder of "
                        "image files") from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise UserError(f"--reconstruct={path}: `images` are {images.dtype} {list(images.shape)}, not uint8 "
                        "[n, height, width, 1 or 3]")
    return images


def run(source: str, command: Command) -> None:
    """Load, generate, write."""
    from tqdm import tqdm

    from lib import device
    from lib.sample import load, writing

    print(device.set_up())
    model = load(source, command.task or None, command.model or None)
    count, asked = command.count, {"seed": command.seed, "batch": command.batch or None}
    if command.reconstruct:
        images = given_images(Path(command.reconstruct), model.input_side)
        count, batches = len(images), model.reconstructed(images, **asked)
    else:
        batches = model.stream(command.classes or None, count, slots=command.slots or None, **asked)
    with tqdm(total=count, desc="generating", unit="image", dynamic_ncols=True, disable=None) as bar:
        writing.write(Path(command.out), _counted(batches, bar), count, model)
    print(f"{count} images of {model} in {command.out}")


def _counted(batches, bar):
    for drawn in batches:
        yield drawn
        bar.update(len(drawn.images))


def main(arguments: list[str]) -> None:
    asked = Parser(__doc__, paths="RUN_OR_CHECKPOINT").add(Command).parse(arguments)
    command = asked.of(Command)
    if len(asked.paths) != 1 or not command.out:
        raise UserError("say what to sample from and where to: python -m lib.sample RUN_OR_CHECKPOINT --out "
                        "samples.npz; see --help")
    if os.path.lexists(command.out):
        raise UserError(f"--out={command.out} is there already; choose another path or remove it")
    if command.reconstruct and (command.classes or command.slots):
        raise UserError("--reconstruct takes its classes from the images; leave out --classes and --slots")
    run(asked.paths[0], command)


if __name__ == "__main__":
    errors.run(main)
