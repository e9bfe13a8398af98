"""The flags that `mergan.py` and `joint.py` share, and what they mean together."""

from pathlib import Path

from absl import flags

from lib.errors import UserError
from lib.mergan.config import DATASETS, Config, default_iterations
from lib.settings import Options

FLAGS = flags.FLAGS


def define_flags(datasets=tuple(DATASETS)) -> None:
    flags.DEFINE_string("result_path", "", "Training writes to result/<result_path>; with --test this path is read "
                                           "as it is.")
    flags.DEFINE_enum("dataset", "mnist", datasets, "What to learn.")
    flags.DEFINE_integer("iters", 0, "Iterations (per task, in mergan.py); 0 is the data set's own number.",
                         lower_bound=0)
    flags.DEFINE_boolean("test", False, "Evaluate the checkpoints of a result path with the evaluation classifier.")
    flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie: <data_dir>/mnist, <data_dir>/svhn, ...")
    flags.DEFINE_integer("seed", 0, "Same seed, same run.", lower_bound=0)
    flags.DEFINE_enum("resume", "auto", ["auto", "never"], "auto: go on with the run that lies in the result path.")
    flags.DEFINE_float("checkpoint_every", 300.0, "Seconds between resume points.", lower_bound=0.0)
    flags.DEFINE_enum("precision", "auto", ["auto", "float32", "mixed_bfloat16", "mixed_float16"],
                      "What the layers compute in. auto: float32 on a CPU, mixed on a GPU that is made for it.")
    flags.DEFINE_boolean("deterministic", False, "Same numbers in every run on a GPU too (slower).")
    flags.DEFINE_boolean("tf1_exact", False, "Bring back the original's deterministic accidents (see README).")


def config(**method) -> Config:
    """The run that the flags describe; `method` adds what only one of the scripts knows. Sets up the devices."""
    # TensorFlow takes seconds to import: flags that do not parse should not wait for it.
    from lib import device

    print(device.prepare(FLAGS.deterministic))
    iterations = FLAGS.iters or default_iterations(FLAGS.dataset, method.get("joint", False))
    return Config(FLAGS.dataset, iterations, seed=FLAGS.seed, precision=device.precision(FLAGS.precision),
                  tf1_exact=FLAGS.tf1_exact, **method)


def options() -> Options:
    return Options(FLAGS.resume, FLAGS.checkpoint_every)


def training_directory() -> Path:
    return Path("result") / FLAGS.result_path


def tested_directory() -> Path:
    if not FLAGS.result_path:
        raise UserError("--test needs --result_path, the directory that training wrote (result/...)")
    return Path(FLAGS.result_path)
