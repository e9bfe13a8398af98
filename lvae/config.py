"""Settings of a Lifelong VAE run: what the command line, the script and the published experiments fix."""

import dataclasses

METHODS = ("lifelong", "vanilla", "ewc", "full_batch", "progressive")
FORMULAS = ("tf1", "pytorch")
OPTIMIZERS = ("adam", "adamnorm")
REPARAMETERISATIONS = ("continuous", "discrete")
CLAMPS = ("clamp", "norm", "none")


@dataclasses.dataclass(frozen=True)
class Architecture:
    """The shape of a VAE, apart from its latent variables."""

    body: str  # dense (flat images) or cnn (32x32)
    image_shape: tuple[int, int, int]  # height, width, channels
    likelihood: str  # bernoulli, normal, logistic or squared_error, see losses.LIKELIHOODS
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


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What one script of the original fixes."""

    architecture: Architecture
    sources: tuple[str, ...]  # data sets
    whole: bool = False  # a distribution is a whole data set instead of one class of it
    csv_prefixes: tuple[str, ...] = ("mnist_",)  # of the result files, one per test set


EXPERIMENTS = {
    "mnist": Experiment(_CNN, ("mnist",)),
    "fashion": Experiment(_CNN, ("fashion",)),
    "fashion_dnn": Experiment(_DENSE, ("fashion",)),
    "svhn": Experiment(_CNN_LOGISTIC, ("svhn",), csv_prefixes=("",)),
    "cifar": Experiment(_CNN_LOGISTIC, ("cifar10",)),
    "mixed_svhn_mnist": Experiment(_CNN, ("svhn", "mnist"), whole=True, csv_prefixes=("svhn_", "mnist_")),
    # CIFAR as a whole, then the ten digits.
    "mixed_cifar_mnist": Experiment(_CNN, ("cifar10", "mnist"), csv_prefixes=("cifar_", "mnist_")),
    # Not in the TF1 code; blog and paper report it.
    "permuted_mnist": Experiment(_DENSE, ("mnist",), whole=True),
}


@dataclasses.dataclass(frozen=True)
class Config:
    """One run. Everything that changes its numbers is here; what only says where files go is not."""

    experiment: str
    architecture: Architecture
    sequential: bool = False
    method: str = "lifelong"  # of a sequential run: one of METHODS
    latent_size: int = 20  # dimensions of the continuous latent variable
    use_bn: bool = False
    use_ln: bool = False  # wins over use_bn
    reparam_type: str = "continuous"  # of the vanilla VAE: one of REPARAMETERISATIONS
    epochs: int = 100  # of a run that is not sequential
    batch_size: int = 100
    min_interval: int = 3000  # iterations that a distribution lasts at least
    max_dist_swaps: int = 32  # distributions learned in a sequential run, revisits included
    test_interval: int = 200  # iterations between two looks at the test set; 0: none
    learning_rate: float = 1e-3
    mutual_info_reg: float = 0.0  # the TF1 code's term; its fork drops it (quirk 5)
    rotate: tuple[str, ...] = ()  # data sets to which rotated copies are added
    compress_rotations: bool = False  # a rotated copy shares the latent class of its original
    permutations: int = 5  # distributions of permuted MNIST
    # Named as in the authors' PyTorch version; at these values they change nothing.
    formulas: str = "tf1"  # which version's posterior, batch shares and consistency: one of FORMULAS
    continuous_mut_info: float = 0.0  # weight that holds back information about z_c (the blog's regulariser)
    discrete_mut_info: float = 0.0  # weight that rewards information about z_d
    monte_carlo_infogain: bool = False
    mut_clamp_strategy: str = "clamp"  # one of CLAMPS
    mut_clamp_value: float = 100.0
    consistency_gamma: float = 1.0  # weight of KL(student || teacher) of the class posteriors
    likelihood_gamma: float = 0.0  # weight of the teacher's reconstructions as targets
    generative_scale_var: float = 1.0  # standard deviation of replayed continuous latents
    kl_reg: float = 1.0  # weight of the KL to the prior
    ewc_gamma: float = 0.0  # weight of the EWC baseline's penalty
    ewc_samples: int = 10000  # samples in a Fisher estimate
    optimizer: str = "adam"  # one of OPTIMIZERS
    seed: int = 0
    precision: str = "float32"  # Keras dtype policy of the layers; weights, heads, posteriors and costs are float32
    tf1_exact: bool = False  # bring back the original's deterministic accidents

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
