"""memoryGAN: a GAN whose discriminator remembers what it has seen in the slots of a memory.

    cd memorygan
    python run.py --dataset=fashion --lr_decay=False --use_augmentation=False
    python run.py --dataset=cifar10 --is_train=False --load_cp_dir=checkpoint/pretrained_model

The first line learns pictures of clothes for 1500 epochs. Four of them take a quarter of an hour of one processor core
and come to an inception score of 5.5; the paper's, after all of them, is 6.4. See memorygan/README.md.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lib import errors  # noqa: E402
from memorygan import command_line  # noqa: E402


def main() -> None:
    errors.run(lambda arguments: command_line.run(__doc__, arguments))


if __name__ == "__main__":
    main()
