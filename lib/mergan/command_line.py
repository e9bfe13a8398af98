"""The flags that `mergan.py` and `joint.py` share, and what they mean together."""

from pathlib import Path

from absl import flags

from lib import settings
from lib.errors import UserError
from lib.mergan.config import DATASETS, Config, default_iterations

FLAGS = flags.FLAGS


def define_flags(datasets=tuple(DATASETS)) -> None:
    flags.DEFINE_string("result_path", "", "Training writes to result/<result_path>; with --test this path is read "
                                           "as it is.")
    flags.DEFINE_enum("dataset", "mnist", datasets, "What to learn.")
    flags.DEFINE_integer("iters", 0, "Iterations (per task, in mergan.py); 0 is the data set's own number.",
                         lower_bound=0)
    flags.DEFINE_float("learning_rate", 0.0, "Adam's step size; 0 is the data set's own (1e-4 but for digits).",
                       lower_bound=0.0)
    flags.DEFINE_boolean("test", False, "Evaluate the checkpoints of a result path with the evaluation classifier.")
    flags.DEFINE_list("metrics", "accuracy", "With --test: accuracy, reverse_accuracy, fid.")
    flags.DEFINE_boolean("every_task", False, "With --test: measure after each task.")
    flags.DEFINE_string("inception_weights", "", "With --metrics=fid: Keras' Inception-v3 weights without its top. For "
                                                 "lsun they are downloaded once if there is a network; without them "
                                                 "the evaluation classifier's features are used, and named so.")
    flags.DEFINE_string("data_dir", "dataset", "Where the data sets lie: <data_dir>/mnist, <data_dir>/svhn, ...")
    settings.define_flags()
    settings.define_precision_flag()
    flags.DEFINE_enum("strategy", "none", ["none", "mirrored", "multi_worker"],
                      "Who shares each batch. mirrored: all GPUs. multi_worker: the processes that TF_CONFIG names.")
    flags.adopt_module_key_flags(settings)
    flags.DEFINE_boolean("tf1_exact", False, "Bring back the original's deterministic accidents (see README).")


def config(**method) -> Config:
    """The run that the flags describe; `method` adds what only one of the scripts knows. Sets up the devices."""
    # TensorFlow takes seconds to import: flags that do not parse should not wait for it.
    from lib import device

    print(device.prepare(FLAGS.deterministic))
    classes = len(DATASETS[FLAGS.dataset].classes)
    if method.get("first_tasks", 0) > classes:
        raise UserError(f"--tasks={method['first_tasks']}: {FLAGS.dataset} has {classes} classes")
    iterations = FLAGS.iters or default_iterations(FLAGS.dataset, method.get("joint", False))
    learning_rate = FLAGS.learning_rate or DATASETS[FLAGS.dataset].learning_rate
    return Config(FLAGS.dataset, iterations, learning_rate=learning_rate, seed=FLAGS.seed,
                  precision=device.precision(FLAGS.precision), tf1_exact=FLAGS.tf1_exact, **method)


def test_options():
    from lib.mergan import evaluate

    unknown = [name for name in FLAGS.metrics if name not in evaluate.MEASURES]
    if unknown:
        raise UserError(f"--metrics={unknown[0]} is not known; there are {', '.join(evaluate.MEASURES)}")
    return evaluate.Options(tuple(FLAGS.metrics), FLAGS.every_task, FLAGS.inception_weights)


def training_directory() -> Path:
    return Path("result") / FLAGS.result_path


def tested_directory() -> Path:
    if not FLAGS.result_path:
        raise UserError("--test needs --result_path, the directory that training wrote (result/...)")
    return Path(FLAGS.result_path)
