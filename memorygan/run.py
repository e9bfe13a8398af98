"""memoryGAN: train it, or generate from a checkpoint. See README.md.

    cd memorygan
    python run.py --dataset=fashion --lr_decay=False --use_augmentation=False
    python run.py --dataset=cifar10 --is_train=False --load_cp_dir=checkpoint/pretrained_model
"""

import dataclasses
import pprint
import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import errors  # noqa: E402
from lib.errors import UserError  # noqa: E402
from lib.run import options as settings  # noqa: E402
from memorygan import command_line  # noqa: E402

FLAGS = flags.FLAGS

command_line.define_flags()
flags.adopt_module_key_flags(command_line)


def main():
    config = command_line.config()
    if not FLAGS.is_train and not FLAGS.load_cp_dir:
        raise UserError("--is_train=False needs --load_cp_dir, the directory of the checkpoint to generate from")
    # TensorFlow takes seconds to import: flags that do not fit should not wait for it.
    from lib import device
    from memorygan import evaluate, interpret, train

    print(device.prepare(FLAGS.deterministic))
    config = dataclasses.replace(config, precision=device.precision(FLAGS.precision))
    pprint.pprint(command_line.values())
    pprint.pprint(config)
    if FLAGS.is_train:
        train.run(config, FLAGS.exp, FLAGS.data_dir, FLAGS.load_cp_dir, settings.options(), FLAGS.save_every)
        return
    checkpoint = Path(FLAGS.load_cp_dir)
    model = evaluate.load(config, checkpoint)
    directory = evaluate.run(config, model, checkpoint, FLAGS.data_dir, FLAGS.samples, FLAGS.inception_score,
                             FLAGS.inception_weights)
    if FLAGS.figures:
        interpret.run(config, model, checkpoint, FLAGS.data_dir, directory)


if __name__ == "__main__":
    errors.run(main)
