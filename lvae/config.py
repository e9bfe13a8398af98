"""Settings of the Lifelong VAE: what a script fixes (`Experiment`), what is learned (`Config`), where (`Command`)."""

import dataclasses

from lib.data import own
from lib.errors import UserError
from lib.run.settings import Checked, Common, FilePath, of_stored, setting


@dataclasses.dataclass(frozen=True)
class Architecture:
    """The shape of a VAE, apart from its latent variables."""

    body: str  # dense (flat images) or cnn (32x32)
    image_shape: tuple[int, int, int]  # height, width, channels
    likelihood: str  # of `losses.LIKELIHOODS`
    encoder_sizes: tuple[int, ...] = ()  # hidden layers of dense bodies
    decoder_sizes: tuple[int, ...] = ()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image as the networks see it."""
        height, width, channels = self.image_shape
        return (height * width * channels,) if self.body == "dense" else self.image_shape


_CNN = Architecture("cnn", (32, 32, 3), "bernoulli")
_CNN_LOGISTIC = Architecture("cnn", (32, 32, 3), "logistic")
_DENSE = Architecture("dense", (28, 28, 1), "bernoulli", (512, 512), (512, 512))
_DENSE_32 = dataclasses.replace(_DENSE, image_shape=(32, 32, 1))


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What one script fixes."""

    description: str
    architecture: Architecture
    sources: tuple[str, ...]  # data sets
    whole: bool = False  # a distribution is a whole data set instead of one class of it
    permutes: bool = False  # distributions are permutations of the pixels
    csv_prefixes: tuple[str, ...] = ("mnist_",)  # of the result files, one per test set

    @property
    def rotatable(self) -> tuple[str, ...]:
        """Data sets of which `--rotate_<data set>` adds rotated copies."""
        return () if self.permutes or own.NAME in self.sources else self.sources


EXPERIMENTS = {
    "mnist": Experiment("MNIST's digits.", _CNN, ("mnist",)),
    "fashion": Experiment("Fashion-MNIST's objects.", _CNN, ("fashion",)),
    "fashion_dnn": Experiment("Fashion-MNIST's objects, with dense networks.", _DENSE, ("fashion",)),
    "svhn": Experiment("SVHN's house numbers.", _CNN_LOGISTIC, ("svhn",), csv_prefixes=("",)),
    "cifar": Experiment("CIFAR-10's classes.", _CNN_LOGISTIC, ("cifar10",)),
    "mixed_svhn_mnist": Experiment("All of SVHN, then all of MNIST.", _CNN, ("svhn", "mnist"), whole=True,
                                   csv_prefixes=("svhn_", "mnist_")),
    "mixed_cifar_mnist": Experiment("All of CIFAR-10, then MNIST's digits.", _CNN, ("cifar10", "mnist"),
                                    csv_prefixes=("cifar_", "mnist_")),
    # Not in the TF1 code: the blog's order of these two.
    "mnist_svhn": Experiment("All of MNIST, then all of SVHN.", _CNN, ("mnist", "svhn"), whole=True,
                             csv_prefixes=("mnist_", "svhn_")),
    # Nor this: scikit-learn's, which need no files.
    "digits": Experiment("scikit-learn's digits, with dense networks.", _DENSE_32, ("digits",)),
    # Not in the TF1 code; blog and paper report it.
    "permuted_mnist": Experiment("MNIST under one permutation of the pixels after the other.", _DENSE, ("mnist",),
                                 whole=True, permutes=True),
    # Nor this; the architecture follows from the images.
    own.NAME: Experiment("Your own images, class after class.", _CNN, (own.NAME,), csv_prefixes=("",)),
}


@dataclasses.dataclass(frozen=True)
class Config(Common):
    """One run. Everything that changes its numbers is here; what only says where files go is not."""

    experiment: str
    architecture: Architecture
    rotate: tuple[str, ...] = ()  # data sets to which rotated copies are added, by the flags --rotate_<data set>
    sequential: bool = setting(False, "Learn one distribution after the other; else all at once.", original=True)
    method: str = setting("lifelong", "What learns a sequence of distributions.",
                          choices=("lifelong", "vanilla", "ewc", "full_batch", "progressive"))
    latent_size: int = setting(20, "Dimensions of the continuous latent variable.", least=1, original=True)
    use_bn: bool = setting(False, "Batch norm.", original=True)
    use_ln: bool = setting(False, "Layer norm; wins over --use_bn.", original=True)
    reparam_type: str = setting("continuous", "Latent variable of the VAE that is not lifelong.",
                                choices=("continuous", "discrete"), original=True)
    epochs: int = setting(100, "Epochs of a run that is not sequential.", least=1, original=True)
    batch_size: int = setting(100, "Images per batch.", least=1, original=True)
    min_interval: int = setting(3000, "Iterations that a distribution lasts at least.", least=0, most=10**9,
                                original=True)
    max_dist_swaps: int = setting(32, "Distributions of a sequential run, revisits included.", least=1,
                                  most=100_000, original=True)
    test_interval: int = setting(200, "Iterations between two looks at the test set; 0: none.", least=0)
    learning_rate: float = setting(1e-3, "Adam's.", least=0.0, original=True)
    optimizer: str = setting("adam", "adamnorm: Adam on gradients of norm one.", choices=("adam", "adamnorm"))
    mutual_info_reg: float = setting(0.0, "Weight of the TF1 code's information term.", original=True)
    compress_rotations: bool = setting(False, "A rotated copy shares the latent class of its original.", original=True)
    permutations: int = setting(5, "Distributions of permuted MNIST.", least=1)
    # Named as in the authors' PyTorch version; at these values they change nothing.
    formulas: str = setting("tf1", "Posterior, batch shares and consistency of the TF1 code or of the authors' PyTorch "
                                   "version.", choices=("tf1", "pytorch"))
    continuous_mut_info: float = setting(0.0, "Weight that holds back information about the continuous latent variable "
                                              "in reconstructions.")
    discrete_mut_info: float = setting(0.0, "Weight that rewards information about the class.")
    monte_carlo_infogain: bool = setting(False, "The PyTorch version's sampled information terms.")
    mut_clamp_strategy: str = setting("clamp", "How information terms are bounded.", choices=("clamp", "norm", "none"))
    mut_clamp_value: float = setting(100.0, "Bound of the clamp strategy.", least=0.0)
    consistency_gamma: float = setting(1.0, "Weight of the consistency of student and teacher.")
    likelihood_gamma: float = setting(0.0, "Weight of the teacher's reconstructions as targets.")
    generative_scale_var: float = setting(1.0, "Standard deviation of replayed continuous latents.")
    kl_reg: float = setting(1.0, "Weight of the KL to the prior.")
    ewc_gamma: float = setting(0.0, "Weight of EWC's penalty; --method=ewc needs it.", least=0.0)
    ewc_samples: int = 10000  # images in an estimate of the Fisher information
    classes: tuple[str, ...] = ()  # of one's own images, as they were found

    def __post_init__(self):
        super().__post_init__()
        if self.method == "ewc" and not self.ewc_gamma:
            raise UserError("--method=ewc needs a weight: --ewc_gamma above 0")
        if self.ewc_gamma and self.method != "ewc":
            raise UserError("--ewc_gamma has no meaning without --method=ewc")

    @property
    def normaliser(self) -> str | None:
        return "layer" if self.use_ln else "batch" if self.use_bn else None

    @property
    def is_lifelong(self) -> bool:
        return self.sequential and self.method == "lifelong"

    @property
    def informs(self) -> bool:
        """Whether a cost looks at the posterior of the reconstructions."""
        return bool(self.continuous_mut_info or self.discrete_mut_info)


def make_config(experiment: str, *, architecture: Architecture | None = None, **settings) -> Config:
    """The settings of one of `EXPERIMENTS`.

    Args:
      architecture: what one's own images ask for; None: the experiment's.

    Raises:
      UserError: a value out of bounds, or settings that do not go together.
    """
    return Config(experiment, architecture or EXPERIMENTS[experiment].architecture, **settings)


def config_of(settings: dict) -> Config:
    """The settings of a run from what its `settings.json` holds; `UserError` for what training did not write."""
    return of_stored(Config, settings | {"architecture": of_stored(Architecture, settings.get("architecture", {}))})


@dataclasses.dataclass(frozen=True)
class OwnImages(Checked):
    """How one's own images are learned."""

    side: int = setting(32, "Height and width at which your images are learned: 32 by convolutional networks, 28 by "
                            "dense ones.", choices=(32, 28))

    def architecture(self, channels: int) -> Architecture:
        """That of the experiments on images of this side, in grey or in colour."""
        if self.side == 28:
            return dataclasses.replace(_DENSE, image_shape=(28, 28, channels))
        return _CNN if channels == 1 else _CNN_LOGISTIC


@dataclasses.dataclass(frozen=True)
class Command(Checked):
    """Where files lie, where to compute, and what is measured besides."""

    base_dir: FilePath = setting(".", "Results go to <base_dir>/experiment_<n>.", original=True)
    data_dir: FilePath = setting(".", "Where the data sets lie: <data_dir>/MNIST_data, <data_dir>/fashion, ... Of "
                                      "run_folder_experiment.py the folder of your classes, or an .npz file.")
    load_model: FilePath = setting("", "Checkpoint prefix (<name>.cpkt) to start from; a lifelong run goes on with the "
                                  "distribution after its model's.")
    test: bool = setting(False, "Evaluate and draw the newest model of --load_model instead of training; results go to "
                                "<base_dir>/evaluation_<model>.")
    frechet: bool = setting(False, "At the end of every distribution, or with --test of each, also the Frechet "
                                   "distance of samples, in the features of a classifier that is trained first.")
    device: str = setting("/gpu:0", "Where to compute; without such a device, on the CPU.", original=True)
    allow_soft_placement: bool = setting(True, "False: refuse to run where the device does not exist.", original=True)
    device_percentage: float = setting(0.3, "Of the original; GPU memory is taken as it is needed here.", original=True)

    def __post_init__(self):
        super().__post_init__()
        if self.test and not self.load_model:
            raise UserError("--test needs --load_model, the prefix of the checkpoint to evaluate (<name>.cpkt)")
