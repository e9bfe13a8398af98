"""Joint training: the upper bound of MeRGAN, one conditional GAN that sees all classes at once. See README.md.

    python joint.py --dataset mnist --result_path mnist_joint/
    python joint.py --dataset mnist --test --result_path result/mnist_joint/
"""

from absl import flags

from lib import errors, settings
from lib.mergan import command_line

FLAGS = flags.FLAGS

command_line.define_flags()
flags.adopt_module_key_flags(command_line)


def main():
    config = command_line.config(joint=True)
    from lib.mergan import evaluate, train  # TensorFlow, after the flags

    if FLAGS.test:
        evaluate.run(config, command_line.tested_directory(), FLAGS.data_dir, command_line.test_options())
    else:
        train.run(config, command_line.training_directory(), FLAGS.data_dir,
                  options=settings.options(strategy=FLAGS.strategy))


if __name__ == "__main__":
    errors.run(main)
