"""Joint training: the upper bound of MeRGAN, one conditional GAN that sees all classes at once.

See lib/mergan/README.md.

    python joint.py --dataset mnist --result_path mnist_joint/
    python joint.py --dataset mnist --test --result_path result/mnist_joint/
"""

from lib import errors
from lib.mergan import command_line


def main() -> None:
    errors.run(lambda arguments: command_line.run(__doc__, arguments, joint=True))


if __name__ == "__main__":
    main()
