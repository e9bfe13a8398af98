"""Joint training: the upper bound of MeRGAN, one conditional GAN that sees all classes at once. See README.md.

    python joint.py --dataset mnist --result_path mnist_joint/
    python joint.py --dataset mnist --test --result_path result/mnist_joint/
"""

from absl import flags

from lib import errors
from lib.mergan import command_line

FLAGS = flags.FLAGS

command_line.define_flags()
flags.adopt_module_key_flags(command_line)


def main():
    config = command_line.config(joint=True)
    from lib.mergan import evaluate, train  # TensorFlow, after the flags

    if FLAGS.test:
        evaluate.run(config, command_line.tested_directory(), FLAGS.data_dir)
    else:
        train.run(config, command_line.training_directory(), FLAGS.data_dir, options=command_line.options())


if __name__ == "__main__":
    errors.run(main)
