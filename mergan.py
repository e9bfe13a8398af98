"""Memory Replay GANs: learn classes one after the other without forgetting. See lib/mergan/README.md.

    python mergan.py --dataset mnist --RA --RA_factor 1e-3 --result_path mnist_RA_1e_3/
    python mergan.py --dataset mnist --test --result_path result/mnist_RA_1e_3/
"""

from lib import errors
from lib.mergan import command_line


def main() -> None:
    errors.run(lambda arguments: command_line.run(__doc__, arguments))


if __name__ == "__main__":
    main()
