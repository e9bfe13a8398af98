"""memoryGAN: train it, or generate from a checkpoint. See README.md.

    cd memorygan
    python run.py --dataset=fashion --lr_decay=False --use_augmentation=False
    python run.py --dataset=cifar10 --is_train=False --load_cp_dir=checkpoint/pretrained_model
"""

import pprint
import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import errors  # noqa: E402
from lib.errors import UserError  # noqa: E402
from lib.settings import Options  # noqa: E402
from memorygan.config import Config, make_config  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_integer("epoch", 1500, "Epochs.", lower_bound=1)
flags.DEFINE_string("exp", "0", "Name of the first directory level below logs/, checkpoint/ and samples/.")
flags.DEFINE_string("load_cp_dir", "", "Directory of a checkpoint of this or the TF1 program, to go on from or, with "
                                       "--is_train=False, to generate from.")
flags.DEFINE_string("dataset", "fashion", "fashion, affmnist, cifar10, mnist, chair or celeba.")
flags.DEFINE_string("loss", "jsd", "jsd, alternative, reverse_kl or updown.")
flags.DEFINE_boolean("lr_decay", False, "Linear decay of the learning rate; it is zero from half of the training on.")
flags.DEFINE_boolean("use_augmentation", False, "Random brightness and contrast.")
flags.DEFINE_boolean("is_train", True, "False: generate samples and evaluate them.")
flags.DEFINE_string("model", "MemoryGAN", "MemoryGAN, or GAN: without memory (the paper's '- Memory').")
flags.DEFINE_string("generator", "base_g", "base_g.")
flags.DEFINE_string("discriminator", None, "memory_d, MemoryGAN's, or base_d, GAN's.")

# Not in the original.
flags.DEFINE_string("memory_update", "em", "em, or kaiser: Kaiser et al.'s update (the paper's '- EM').")
flags.DEFINE_boolean("slot_sampling", True, "False: the generator is given noise alone (the paper's '- MCGN').")
flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie: <data_dir>/fashion, <data_dir>/affmnist, ...")
flags.DEFINE_integer("seed", 0, "Same seed, same run.", lower_bound=0)
flags.DEFINE_enum("resume", "auto", ["auto", "never"], "auto: go on with the unfinished run of the same settings.")
flags.DEFINE_float("checkpoint_every", 300.0, "Seconds between resume points.", lower_bound=0.0)
flags.DEFINE_integer("save_every", 1, "Epochs between checkpoints and samples, from epoch 101 on.", lower_bound=1)
flags.DEFINE_integer("samples", 640000, "Images to generate with --is_train=False.", lower_bound=1)
flags.DEFINE_boolean("inception_score", True, "With --is_train=False: also the inception score; its classifier is "
                                              "trained the first time.")
flags.DEFINE_string("inception_weights", None, "Keras' file of Inception-v3 with its top layer, which judges cifar10.")
flags.DEFINE_boolean("figures", True, "With --is_train=False: also the paper's figures of what the memory has learned.")

# Sizes of the data set's table that a command may change; names are the original's.
_SIZES = ("batch_size", "z_dim", "f_dim", "fc_dim", "mem_size", "key_dim", "choose_k", "em_iterations")
for _size in _SIZES:
    flags.DEFINE_integer(_size, None, "Instead of the data set's own.", lower_bound=1)

_SETTINGS = ("epoch", "loss", "lr_decay", "use_augmentation", "model", "generator", "memory_update", "slot_sampling",
             "seed")


def config() -> Config:
    """The run that the flags describe. Each model has its discriminator, as in the paper, unless one is named."""
    sizes = {name: FLAGS[name].value for name in _SIZES if FLAGS[name].value is not None}
    discriminator = FLAGS.discriminator or ("base_d" if FLAGS.model == "GAN" else "memory_d")
    return make_config(FLAGS.dataset, discriminator=discriminator, **sizes,
                       **{name: FLAGS[name].value for name in _SETTINGS})


def main():
    run_config = config()
    pprint.pprint(FLAGS.flag_values_dict())
    pprint.pprint(run_config)
    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from memorygan import evaluate, interpret, train

    if FLAGS.is_train:
        train.run(run_config, FLAGS.exp, FLAGS.data_dir, FLAGS.load_cp_dir,
                  Options(FLAGS.resume, FLAGS.checkpoint_every), FLAGS.save_every)
        return
    if not FLAGS.load_cp_dir:
        raise UserError("--is_train=False needs --load_cp_dir, the directory of the checkpoint to generate from")
    checkpoint = Path(FLAGS.load_cp_dir)
    model = evaluate.load(run_config, checkpoint)
    directory = evaluate.run(run_config, model, checkpoint, FLAGS.data_dir, FLAGS.samples, FLAGS.inception_score,
                             FLAGS.inception_weights)
    if FLAGS.figures:
        interpret.run(run_config, model, checkpoint, FLAGS.data_dir, directory)


if __name__ == "__main__":
    errors.run(main)
