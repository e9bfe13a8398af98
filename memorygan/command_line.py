"""The flags of `run.py`, the original's and ours, and the run that they describe."""

import sys

from absl import flags

from lib.run import options as settings
from memorygan.config import Config, make_config

FLAGS = flags.FLAGS

# Sizes of the data set's table that a command may change; names are the original's.
_SIZES = ("batch_size", "z_dim", "f_dim", "fc_dim", "mem_size", "key_dim", "choose_k", "em_iterations")
_SETTINGS = ("epoch", "loss", "lr_decay", "use_augmentation", "model", "generator", "memory_update", "slot_sampling",
             "seed", "tf1_exact")


def define_flags() -> None:
    flags.DEFINE_integer("epoch", 1500, "Epochs.", lower_bound=1)
    flags.DEFINE_string("exp", "0", "Name of the first directory level below logs/, checkpoint/ and samples/.")
    flags.DEFINE_string("load_cp_dir", "", "Directory of a checkpoint of this or the TF1 program, to go on from or, "
                                           "with --is_train=False, to generate from.")
    flags.DEFINE_string("dataset", "fashion", "fashion, affmnist, cifar10, mnist, chair or celeba.")
    flags.DEFINE_string("loss", "jsd", "jsd, alternative, reverse_kl or updown.")
    flags.DEFINE_boolean("lr_decay", False, "Linear decay of the learning rate, to zero at half of the training.")
    flags.DEFINE_boolean("use_augmentation", False, "Random brightness and contrast.")
    flags.DEFINE_boolean("is_train", True, "False: generate samples and evaluate them.")
    flags.DEFINE_string("model", "MemoryGAN", "MemoryGAN, or GAN: without memory (the paper's '- Memory').")
    flags.DEFINE_string("generator", "base_g", "base_g.")
    flags.DEFINE_string("discriminator", None, "memory_d, the default of MemoryGAN, or base_d, that of GAN.")
    _define_ours()


def _define_ours() -> None:
    """What the original does not have."""
    flags.DEFINE_string("memory_update", "em", "em, or kaiser: Kaiser et al.'s update (the paper's '- EM').")
    flags.DEFINE_boolean("slot_sampling", True, "False: the generator is given noise alone (the paper's '- MCGN').")
    flags.DEFINE_boolean("tf1_exact", False, "Bring back the original's deterministic accidents (see README).")
    flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie: <data_dir>/fashion, <data_dir>/affmnist, ...")
    settings.define_flags()
    settings.define_precision_flag()
    flags.adopt_module_key_flags(settings)
    flags.DEFINE_integer("save_every", 1, "Epochs between checkpoints and samples, from epoch 101 on.", lower_bound=1)
    flags.DEFINE_integer("samples", 640000, "Images to generate with --is_train=False.", lower_bound=1)
    flags.DEFINE_boolean("inception_score", True, "With --is_train=False: also the inception score; its classifier is "
                                                  "trained the first time.")
    flags.DEFINE_string("inception_weights", None, "Keras' file of Inception-v3 with its top, which judges cifar10.")
    flags.DEFINE_boolean("figures", True, "With --is_train=False: also the paper's figures of the memory.")
    for size in _SIZES:
        flags.DEFINE_integer(size, None, "Instead of the data set's own.", lower_bound=1)


def values() -> dict:
    """Our flags, without those of the libraries."""
    return {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module(sys.modules[__name__])}


def config() -> Config:
    """The run that the flags describe. Each model has its discriminator, as in the paper, unless one is named."""
    sizes = {name: FLAGS[name].value for name in _SIZES if FLAGS[name].value is not None}
    discriminator = FLAGS.discriminator or ("base_d" if FLAGS.model == "GAN" else "memory_d")
    return make_config(FLAGS.dataset, discriminator=discriminator, **sizes,
                       **{name: FLAGS[name].value for name in _SETTINGS})

