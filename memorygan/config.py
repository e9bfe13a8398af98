"""Settings of memoryGAN: what is learned (`Config`), what is done and where files lie (`Command`), what is measured."""

import dataclasses
from pathlib import Path

from lib.data import own
from lib.errors import UserError
from lib.run.settings import Checked, Common, FilePath, setting


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What the original, or for the 64x64 sets the paper's table 3, fixes per data set. Names are the original's."""

    side: int  # pixels
    channels: int
    unit_range: bool  # networks see [0, 1] instead of [-1, 1]
    architecture: str  # dcgan28, dcgan40 or resnet
    z_dim: int
    f_dim: int
    mem_size: int
    key_dim: int
    choose_k: int
    lamb: float
    beta1: float
    beta2: float
    folder: str = ""  # below the data directory, where the images are files that do not fit in memory
    tfds: str = ""  # what TFDS calls a set of such files, if it has it


_MNIST_LIKE = dict(channels=1, unit_range=True, z_dim=2, f_dim=64, mem_size=4096, key_dim=256,
                   choose_k=128, lamb=1e-2, beta1=0.5, beta2=0.999)
_RESNET = dict(channels=3, unit_range=False, architecture="resnet", z_dim=16, f_dim=128, mem_size=16384,
               key_dim=512, choose_k=256, lamb=1e-6, beta1=0.0, beta2=0.9)

DATASETS = {
    "fashion": DataSet(side=28, architecture="dcgan28", **_MNIST_LIKE),
    "mnist": DataSet(side=28, architecture="dcgan28", **_MNIST_LIKE),
    "affmnist": DataSet(side=40, architecture="dcgan40", **_MNIST_LIKE),
    "cifar10": DataSet(side=32, **_RESNET),
    # In the paper, not in the original's code: its residual networks with one more block each.
    "chair": DataSet(side=64, folder="chair", **_RESNET),
    "celeba": DataSet(side=64, folder="celeba", tfds="celeb_a", **_RESNET),
}


def of_own_images(side: int, channels: int) -> DataSet:
    """The same of one's own images: as the data set of this side."""
    like = DATASETS["celeba" if side == 64 else "cifar10"]
    return dataclasses.replace(like, channels=channels, folder="", tfds="")


LOSSES = ("jsd", "alternative", "reverse_kl", "updown")
OF_OWN_IMAGES = ("side", "channels")  # the settings that only they have
_OWN_DISCRIMINATOR = {"MemoryGAN": "memory_d", "GAN": "base_d"}  # by model, as in the paper


def _size(field: str, help: str):
    """A size that every data set has a value of its own for."""
    names = {}  # by value
    for name, data in DATASETS.items():
        names.setdefault(getattr(data, field), []).append(name)
    own = "; ".join(f"{value} for {', '.join(names)}" for value, names in names.items())
    return setting(None, f"{help}: {own}.", least=1)


@dataclasses.dataclass(frozen=True)
class Config(Common):
    """One run. Everything that changes its numbers is here; what only says where files go is not."""

    dataset: str = setting("fashion", "What to learn; folder: your own images in --data_dir.",
                           choices=(*DATASETS, own.NAME), original=True)
    epoch: int = setting(1500, "Epochs.", least=1, original=True)
    batch_size: int = setting(64, "Real images per step, and as many generated ones.", least=1)
    loss: str = setting("jsd", "What the discriminator and the generator minimise.", choices=LOSSES, original=True)
    lr: float = 2e-4  # Adam's step size
    lr_decay: bool = setting(False, "Linear decay of the rate, to zero at half of the training.", original=True)
    beta1: float | None = None  # of Adam; None: the data set's own
    beta2: float | None = None  # the same
    use_augmentation: bool = setting(False, "Random brightness and contrast.", original=True)
    model: str = setting("MemoryGAN", "GAN: without memory (the paper's '- Memory').", choices=_OWN_DISCRIMINATOR,
                         original=True)
    generator: str = setting("base_g", "The generator's networks.", choices=("base_g",), original=True)
    discriminator: str = setting("auto", "The discriminator's networks. auto: memory_d for MemoryGAN, base_d for GAN.",
                                 choices=("auto", *_OWN_DISCRIMINATOR.values()), original=True)
    memory_update: str = setting("em", "kaiser: Kaiser et al.'s update (the paper's '- EM').", choices=("em", "kaiser"))
    slot_sampling: bool = setting(True, "False: the generator is given noise alone (the paper's '- MCGN').")
    z_dim: int = _size("z_dim", "Dimensions of the continuous noise")
    f_dim: int = _size("f_dim", "Width of the feature maps")
    fc_dim: int = setting(1024, "Width of the dense layers of the 28x28 networks.", least=1)
    mem_size: int = _size("mem_size", "Slots of the memory")
    key_dim: int = _size("key_dim", "Dimensions of the memory's keys and of queries")
    choose_k: int = _size("choose_k", "Slots that a query reads and trains")
    em_iterations: int = setting(1, "Rounds of the memory's EM, T of the paper's algorithm 1.", least=1)
    lamb: float | None = None  # weight of the mutual-information term; None: the data set's own
    side: int | None = setting(None, "With --dataset folder: height and width at which images are learned, 32 if not "
                                     "given.", choices=own.SIDES)
    channels: int | None = None  # of one's own images, as they were found

    def __post_init__(self):
        super().__post_init__()
        own.check_side(self.dataset, self.side)

    @property
    def data(self) -> DataSet:
        return of_own_images(self.side, self.channels) if self.dataset == own.NAME else DATASETS[self.dataset]

    def as_settings(self) -> dict:
        """Everything that `settings.json` holds of it."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items()
                if self.dataset == own.NAME or name not in OF_OWN_IMAGES}

    @property
    def has_memory(self) -> bool:
        return self.model == "MemoryGAN"

    @property
    def samples_slots(self) -> bool:
        """Whether the generator is given a memory key beside its noise."""
        return self.has_memory and self.slot_sampling

    @property
    def generator_inputs(self) -> int:
        return self.z_dim + (self.key_dim if self.samples_slots else 0)


def make_config(dataset: str, **settings) -> Config:
    """The settings that were asked for, and the data set's and the model's own ones where there were none.

    Raises:
      UserError: an unknown data set, model, loss, network or memory update, or a size below 1.
    """
    asked = Config(dataset=dataset, **settings)
    usual = {name: getattr(asked.data, name) for name, value in dataclasses.asdict(asked).items()
             if value is None and name not in OF_OWN_IMAGES}
    if asked.discriminator == "auto":
        usual["discriminator"] = _OWN_DISCRIMINATOR[asked.model]
    return dataclasses.replace(asked, **usual)


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """What is done, and where files lie."""

    is_train: bool = setting(True, "False: generate samples and evaluate them.", original=True)
    exp: str = setting("0", "Name of the first directory level below logs/, checkpoint/ and samples/.", original=True)
    load_cp_dir: FilePath = setting("", "Directory of a checkpoint of this or the TF1 program, to go on from or, with "
                                   "--is_train=False, to generate from.", original=True)
    data_dir: FilePath = setting("dataset", "Where the data sets lie: <data_dir>/fashion, <data_dir>/affmnist, ... "
                                            "With --dataset folder, the folder of your images, or an .npz file.")
    save_from: int = setting(101, "The first epoch that may have a checkpoint and samples; the last has them in any "
                                  "case.", least=1)
    save_every: int = setting(1, "Epochs between checkpoints and samples, from --save_from on.", least=1)
    keep: int = setting(0, "How many checkpoints to keep, the newest, with the arrays of their samples; pictures "
                           "always stay. 0: all, 128 MB each with the published settings.", least=0)

    def __post_init__(self):
        super().__post_init__()
        if not self.is_train and not self.load_cp_dir:
            raise UserError("--is_train=False needs --load_cp_dir, the directory of the checkpoint to generate from")


SCORED = 10_000  # images of an epoch, at most


@dataclasses.dataclass(frozen=True)
class Measured(Checked):
    """What `--is_train=False` generates and measures."""

    samples: int = setting(640000, "With --is_train=False: images to generate.", least=1)
    inception_score: bool = setting(True, "With --is_train=False: also the inception score; its classifier is trained "
                                          "the first time. chair and celeba have no classes and no score.")
    every_epoch: bool = setting(False, "With --is_train=False: also the inception score after each epoch that has a "
                                       f"checkpoint, of at most {SCORED} images.")
    inception_weights: FilePath = setting("", "Keras' file of Inception-v3 with its top, which judges cifar10.")
    figures: bool = setting(True, "With --is_train=False: also the paper's figures of the memory.")

    def __post_init__(self):
        super().__post_init__()
        if self.every_epoch and not self.inception_score:
            raise UserError("--every_epoch measures the inception score, which --inception_score=False leaves out; "
                            "leave out one of both")


def beside(directory: Path, kind: str) -> Path:
    """A run's directory of another kind, logs, checkpoint or samples: `<kind>/<exp>/<stamp>`."""
    directory = directory.absolute()
    return directory.parent.parent.parent / kind / directory.parent.name / directory.name


def logs_of(checkpoints: str) -> Path:
    """The directory `logs/<exp>/<run>` that belongs to `checkpoint/<exp>/<run>`, whether there is one or not."""
    path = Path(checkpoints)
    return beside(path, "logs") if len(path.parts) > 2 else path


def numbered(directory: Path, prefix: str, suffix: str) -> dict[int, Path]:
    """{number: path} of the files `<prefix><number><suffix>` in a directory."""
    found = {path.stem.removeprefix(prefix): path for path in directory.glob(f"{prefix}*{suffix}")}
    return {int(number): path for number, path in found.items() if number.isdecimal()}


def max_iterations(config: Config, examples: int) -> int:
    """Iterations of the whole run, floor(examples / batch) per epoch. The loop runs 1 .. max - 1."""
    return examples // config.batch_size * config.epoch


def ended_epoch(config: Config, examples: int, iteration: int) -> int | None:
    """The epoch that the original reports after `iteration` (from 1), or None within an epoch.

    Its counter is already one ahead there: the first report says epoch 2.
    """
    seen = iteration * config.batch_size
    if iteration > 1 and seen % examples < config.batch_size:
        return seen // examples + 1
    return None


def batches_drawn(config: Config, examples: int, iterations: int) -> int:
    """How many batches the first `iterations` have used, with the one that `tf1_exact` draws at each epoch's end."""
    if not config.tf1_exact:
        return iterations
    # An epoch of one batch that ends with the first iteration is not reported.
    unreported = int(iterations > 0 and config.batch_size == examples)
    return iterations + iterations * config.batch_size // examples - unreported
