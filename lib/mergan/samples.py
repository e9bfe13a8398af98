"""The ways in which a generator is asked for images, one class each; `samples_of` gives a run's own.

`learned` counts the classes learned so far, from 1; a label is a class's number in the order of learning, from 0.
"""

import re

import numpy as np
import tensorflow as tf

from lib import device, randomness
from lib.mergan import replay
from lib.mergan.config import Config
from lib.mergan.networks import Networks
from lib.mergan.noise import draw_latent

GRID = 10  # rows of a sample picture, and columns where it is not one for each class
JOINT_BATCH = 100


class Samples:
    """What all ways have in common.

    Args:
      networks: None for one that is only asked for names.
    """

    conditional = True  # the generator is told the class, so that its images need not be sorted
    by_class = True  # `--test` gives an accuracy for each class
    columns = GRID  # of a sample picture

    def __init__(self, config: Config, networks: Networks | None):
        self.config = config
        self.generator, self.solver = (networks.generator, networks.solver) if networks else (None, None)
        self.batch_size = config.batch_size  # of what `--test` generates

    def learned(self, task: int) -> int:
        return task + 1

    def asked(self, label: int, count: int) -> tf.Tensor:
        """int32 [count]: what the generator is asked for so that images of a class are in the batch."""
        raise NotImplementedError

    def classes_of(self, images: tf.Tensor, asked: tf.Tensor, learned: int) -> tf.Tensor:
        """int32 [n]: the class that each image stands for."""
        return asked

    def rounds(self, task: int, repeats: int) -> list[tuple[int, tuple[int, ...]]]:
        """What `--test` generates after a task, batch by batch: (a label, the counters of its noise)."""
        return [(0, (task, repeat)) for repeat in range(repeats)]

    def shares(self, learned: int) -> list[tuple[int, int]]:
        """(a label, how many classes come with it): asked for one after the other, they give all classes."""
        return [(0, learned)]

    def fixed_noise(self, seed: int) -> tf.Tensor:
        """The latent vectors [100, 128] of all sample pictures of a run with this seed."""
        return draw_latent(randomness.key(seed, "fixed noise"), GRID * GRID)

    def pictures(self, learned: int, noise: tf.Tensor) -> np.ndarray:
        """The images [files, n, h, w, c] of a moment's sample pictures."""
        return self.generator(noise, self.asked(0, len(noise))).numpy()[None]

    def of_class(self, label: int, learned: int, noise: tf.Tensor) -> np.ndarray:
        """The images [at most n, h, w, c] of a class in a batch."""
        asked = self.asked(label, len(noise))
        images = self.generator(noise, asked)
        return images.numpy()[np.equal(self.classes_of(images, asked, learned), label)]

    def files(self, learned: int, iteration: int) -> list[str]:
        """Names of a moment's sample pictures, the original's."""
        return [f"Task_{learned}_Iter_{iteration}.png"]

    def moment(self, file: str) -> tuple[int, int] | None:
        """(learned, iteration) of a sample picture by its name; None for another file."""
        match = re.fullmatch(r"Task_(\d+)_Iter_(\d+)(_.+)?\.png", file)
        return match and (int(match[1]), int(match[2]))

    def rows(self, learned: int) -> int:
        """Lines of images that a moment's sample pictures are read as."""
        return learned

    def row(self, number: int) -> tuple[int, slice]:
        """Which file a line of images is in, and which of its images."""
        raise NotImplementedError


class PerClass(Samples):
    """Of class after class: a batch, and a picture, holds one."""

    def asked(self, label, count):
        return tf.fill([count], label)

    def rounds(self, task, repeats):
        return [(label, (task, label, repeat)) for label in range(task + 1) for repeat in range(repeats)]

    def shares(self, learned):
        return [(label, 1) for label in range(learned)]

    def pictures(self, learned, noise):
        images = _all_classes(self.generator, noise, tf.constant(learned)).numpy()
        return images.reshape(learned, len(noise), *images.shape[1:])

    def files(self, learned, iteration):
        return [f"Task_{learned}_Iter_{iteration}_{name}.png" for name in self.config.data.classes[:learned]]

    def row(self, number):
        return number, slice(None)


class AllAtOnce(Samples):
    """Of joint training: a batch holds all classes in turn, and a picture has a column for each."""

    by_class = False

    def __init__(self, config, networks):
        super().__init__(config, networks)
        self.columns = len(config.data.classes)
        self.batch_size = max(JOINT_BATCH, self.columns)

    def learned(self, task):
        return self.columns

    def asked(self, label, count):
        return tf.range(count) % self.columns

    def fixed_noise(self, seed):
        """Ten latent vectors, each for all classes."""
        return tf.repeat(draw_latent(randomness.key(seed, "fixed noise"), GRID), self.columns, axis=0)

    def files(self, learned, iteration):
        return [f"samples_{iteration}.png"]

    def moment(self, file):
        match = re.fullmatch(r"samples_(\d+)\.png", file)
        return match and (self.columns, int(match[1]))

    def row(self, number):
        return 0, slice(number, None, self.columns)


class Unconditional(Samples):
    """Of deep generative replay, whose generator knows no classes: its solver says what an image is."""

    conditional = False

    def asked(self, label, count):
        return tf.zeros([count], tf.int32)

    def classes_of(self, images, asked, learned):
        return tf.argmax(self.solver(images).logits[:, :learned], axis=-1, output_type=tf.int32)

    def rounds(self, task, repeats):
        return super().rounds(task, repeats * (task + 1))

    def rows(self, learned):
        return GRID

    def row(self, number):
        return 0, slice(GRID * number, None)


@device.graph
def _all_classes(generator, noise: tf.Tensor, learned: tf.Tensor) -> tf.Tensor:
    return replay.generate_classes(generator, tf.repeat(noise[None], learned, axis=0))


def samples_of(config: Config, networks: Networks | None = None) -> Samples:
    """The way in which the generator of such a run is asked."""
    if config.joint:
        return AllAtOnce(config, networks)
    return Unconditional(config, networks) if config.generative_replay else PerClass(config, networks)
