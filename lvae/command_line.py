"""The flags of all run scripts, and what they mean together."""

import contextlib
import dataclasses
import sys

from absl import flags

from lib import settings as run_settings
from lib.errors import UserError
from lvae import config as settings
from lvae.config import EXPERIMENTS, Config

FLAGS = flags.FLAGS


def define_flags(experiment: str) -> None:
    flags.DEFINE_bool("sequential", False, "Learn one distribution after the other; else all at once.")
    flags.DEFINE_integer("latent_size", 20, "Dimensions of the continuous latent variable.", lower_bound=1)
    flags.DEFINE_integer("epochs", 100, "Epochs of a run that is not sequential.", lower_bound=1)
    flags.DEFINE_integer("batch_size", 100, "Images per batch.", lower_bound=1)
    flags.DEFINE_integer("min_interval", 3000, "Iterations that a distribution lasts at least.", lower_bound=0)
    flags.DEFINE_integer("max_dist_swaps", 32, "Distributions of a sequential run, revisits included.", lower_bound=1)
    flags.DEFINE_string("device", "/gpu:0", "Where to compute; without such a device, on the CPU.")
    flags.DEFINE_bool("allow_soft_placement", True, "False: refuse to run where the device does not exist.")
    flags.DEFINE_float("device_percentage", 0.3, "Of the original; GPU memory is taken as it is needed here.")
    flags.DEFINE_bool("use_ln", False, "Layer norm; wins over --use_bn.")
    flags.DEFINE_bool("use_bn", False, "Batch norm.")
    flags.DEFINE_enum("reparam_type", "continuous", settings.REPARAMETERISATIONS, "Latent variable of the VAE that "
                      "is not lifelong.")
    flags.DEFINE_float("learning_rate", 1e-3, "Adam's.", lower_bound=0.0)
    flags.DEFINE_float("mutual_info_reg", 0.0, "Weight of the TF1 code's information term.")
    flags.DEFINE_string("base_dir", ".", "Results go to <base_dir>/experiment_<n>.")
    for name in _rotatable(experiment):
        flags.DEFINE_bool(f"rotate_{name}", False, f"Add ten rotated copies of every distribution of {name}.")
    flags.DEFINE_bool("compress_rotations", False, "A rotated copy shares the latent class of its original.")
    flags.DEFINE_enum("method", "lifelong", settings.METHODS, "What learns a sequence of distributions.")
    flags.DEFINE_enum("formulas", "tf1", settings.FORMULAS, "Posterior, batch shares and consistency of the TF1 code "
                      "or of the authors' PyTorch version.")
    flags.DEFINE_float("continuous_mut_info", 0.0, "Weight that holds back information about the continuous latent "
                       "variable in reconstructions.")
    flags.DEFINE_float("discrete_mut_info", 0.0, "Weight that rewards information about the class.")
    flags.DEFINE_bool("monte_carlo_infogain", False, "The PyTorch version's sampled information terms.")
    flags.DEFINE_enum("mut_clamp_strategy", "clamp", settings.CLAMPS, "How information terms are bounded.")
    flags.DEFINE_float("mut_clamp_value", 100.0, "Bound of the clamp strategy.", lower_bound=0.0)
    flags.DEFINE_float("consistency_gamma", 1.0, "Weight of the consistency of student and teacher.")
    flags.DEFINE_float("likelihood_gamma", 0.0, "Weight of the teacher's reconstructions as targets.")
    flags.DEFINE_float("generative_scale_var", 1.0, "Standard deviation of replayed continuous latents.")
    flags.DEFINE_float("ewc_gamma", 0.0, "Weight of EWC's penalty; --method=ewc needs it.", lower_bound=0.0)
    flags.DEFINE_enum("optimizer", "adam", settings.OPTIMIZERS, "adamnorm: Adam on gradients of norm one.")
    flags.DEFINE_bool("frechet", False, "At the end of every distribution also the Frechet distance of samples, in the "
                      "features of a classifier that is trained first.")
    flags.DEFINE_integer("test_interval", 200, "Iterations between two looks at the test set; 0: none.", lower_bound=0)
    flags.DEFINE_string("load_model", "", "Checkpoint prefix (<name>.cpkt) to start from; a lifelong run goes on with "
                        "the distribution after its model's.")
    flags.DEFINE_string("data_dir", ".", "Where the data sets lie: <data_dir>/MNIST_data, <data_dir>/fashion, ...")
    run_settings.define_flags()
    run_settings.define_precision_flag()
    flags.adopt_module_key_flags(run_settings)
    flags.DEFINE_bool("tf1_exact", False, "Bring back the original's deterministic accidents (see README).")
    if experiment == "permuted_mnist":
        flags.DEFINE_integer("permutations", 5, "Distributions.", lower_bound=1)


def _rotatable(experiment: str) -> tuple[str, ...]:
    return () if experiment == "permuted_mnist" else EXPERIMENTS[experiment].sources


_CONFIGURED = (
    "sequential", "method", "latent_size", "use_bn", "use_ln", "reparam_type", "epochs", "batch_size", "min_interval",
    "max_dist_swaps", "learning_rate", "mutual_info_reg", "compress_rotations", "formulas", "continuous_mut_info",
    "discrete_mut_info", "monte_carlo_infogain", "mut_clamp_strategy", "mut_clamp_value", "consistency_gamma",
    "likelihood_gamma", "generative_scale_var", "ewc_gamma", "optimizer", "test_interval", "seed", "tf1_exact")


def config(experiment: str) -> Config:
    """The run that the flags describe."""
    fixed = EXPERIMENTS[experiment]
    values = {name: FLAGS[name].value for name in _CONFIGURED}
    if values["method"] == "ewc" and not values["ewc_gamma"]:
        raise UserError("--method=ewc needs a weight: --ewc_gamma above 0")
    if values["ewc_gamma"] and values["method"] != "ewc":
        raise UserError("--ewc_gamma has no meaning without --method=ewc")
    if experiment == "permuted_mnist":
        values["permutations"] = FLAGS.permutations
    rotate = tuple(name for name in _rotatable(experiment) if FLAGS[f"rotate_{name}"].value)
    return Config(experiment, fixed.architecture, rotate=rotate, **values)


@contextlib.contextmanager
def device():
    """Compute where --device says, or on the CPU, with a warning, where there is no such device."""
    import tensorflow as tf

    from lib import device as devices

    print(devices.prepare(FLAGS.deterministic))
    try:
        wanted = tf.DeviceSpec.from_string(FLAGS.device.lower().replace("/gpu", "/device:GPU").replace(
            "/cpu", "/device:CPU"))
    except ValueError as error:
        raise UserError(f"--device={FLAGS.device}: not a device; write /gpu:0 or /cpu:0") from error
    kind, index = wanted.device_type or "CPU", wanted.device_index or 0
    if index >= len(tf.config.list_physical_devices(kind)):
        if not FLAGS.allow_soft_placement:
            raise UserError(f"--device={FLAGS.device}: there is no such device; leave out --allow_soft_placement=False "
                            "to run on the CPU")
        print(f"warning: there is no {FLAGS.device}; running on the CPU", file=sys.stderr)
        kind, index = "CPU", 0
    with tf.device(f"/device:{kind}:{index}"):
        yield


def run(experiment: str) -> None:
    """What every script does once its flags are parsed."""
    described = config(experiment)
    with device():
        from lib import device as devices
        from lvae import train

        described = dataclasses.replace(described, precision=devices.precision(FLAGS.precision))
        train.run(described, FLAGS.base_dir, FLAGS.data_dir, FLAGS.load_model, run_settings.options(), FLAGS.frechet)
