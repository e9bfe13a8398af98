"""Settings of a memoryGAN run: what the command line, the data set and the published experiments fix."""

import dataclasses

from lib.errors import UserError


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What the original, or for the 64x64 sets the paper's table 3, fixes per data set. Names are the original's."""

    side: int  # pixels
    channels: int
    unit_range: bool  # networks see [0, 1] instead of [-1, 1]
    architecture: str  # dcgan28, dcgan40 or resnet
    z_dim: int  # continuous noise
    f_dim: int  # width of the feature maps
    fc_dim: int  # width of the dense layers (dcgan28 only)
    mem_size: int  # slots
    key_dim: int
    choose_k: int  # slots a query reads and trains
    lamb: float  # weight of the mutual-information term
    beta1: float  # of Adam
    beta2: float
    folder: str = ""  # below the data directory, where the images are files that do not fit in memory
    tfds: str = ""  # what TFDS calls a set of such files, if it has it


_MNIST_LIKE = dict(channels=1, unit_range=True, z_dim=2, f_dim=64, fc_dim=1024, mem_size=4096, key_dim=256,
                   choose_k=128, lamb=1e-2, beta1=0.5, beta2=0.999)
_RESNET = dict(channels=3, unit_range=False, architecture="resnet", z_dim=16, f_dim=128, fc_dim=1024, mem_size=16384,
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

MODELS = ("MemoryGAN", "GAN")
LOSSES = ("jsd", "alternative", "reverse_kl", "updown")
GENERATORS = ("base_g",)
DISCRIMINATORS = ("memory_d", "base_d")
MEMORY_UPDATES = ("em", "kaiser")


@dataclasses.dataclass(frozen=True)
class Config:
    """One run. Everything that changes its numbers is here; what only says where files go is not."""

    dataset: str
    z_dim: int
    f_dim: int
    fc_dim: int
    mem_size: int
    key_dim: int
    choose_k: int
    lamb: float
    beta1: float
    beta2: float
    model: str = "MemoryGAN"  # GAN: the paper's "- Memory"
    loss: str = "jsd"
    generator: str = "base_g"
    discriminator: str = "memory_d"
    memory_update: str = "em"  # kaiser: the paper's "- EM"
    slot_sampling: bool = True  # False: the paper's "- MCGN"
    em_iterations: int = 1  # T of the paper's algorithm 1
    lr: float = 2e-4
    lr_decay: bool = False  # linear, to zero
    use_augmentation: bool = False  # brightness and contrast
    epoch: int = 1500
    batch_size: int = 64
    seed: int = 0
    precision: str = "float32"  # Keras dtype policy of the layers; costs, memory and heads are float32 at least
    tf1_exact: bool = False  # bring back the original's deterministic accidents

    def __post_init__(self):
        for field, known in (("model", MODELS), ("loss", LOSSES), ("generator", GENERATORS),
                             ("discriminator", DISCRIMINATORS), ("memory_update", MEMORY_UPDATES)):
            _check_known(field, getattr(self, field), known)
        for field in ("epoch", "batch_size", "mem_size", "key_dim", "choose_k", "em_iterations", "z_dim"):
            if getattr(self, field) < 1:
                raise UserError(f"--{field}={getattr(self, field)}: must be at least 1")

    @property
    def data(self) -> DataSet:
        return DATASETS[self.dataset]

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


def _check_known(field: str, value: str, known) -> None:
    if value not in known:
        raise UserError(f"--{field}={value}: unknown; one of {', '.join(known)}")


def make_config(dataset: str, **settings) -> Config:
    """The data set's settings with `settings` on top.

    Raises:
      UserError: an unknown data set, model, loss, network or memory update, or a size below 1.
    """
    _check_known("dataset", dataset, DATASETS)
    fixed = {field.name for field in dataclasses.fields(Config)}
    of_dataset = {name: value for name, value in dataclasses.asdict(DATASETS[dataset]).items() if name in fixed}
    return Config(dataset=dataset, **{**of_dataset, **settings})


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
