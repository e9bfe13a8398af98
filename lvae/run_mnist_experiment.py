"""Lifelong VAE: MNIST digits, one after the other or all at once, with convolutions. See README.md.

    python run_mnist_experiment.py --sequential=True --latent_size=14 --min_interval=12000 --max_dist_swaps=32
"""

import sys
from pathlib import Path

from absl import flags

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # the repository root in place of this folder

from lib import errors  # noqa: E402
from lvae import command_line  # noqa: E402

command_line.define_flags("mnist")
flags.adopt_module_key_flags(command_line)

if __name__ == "__main__":
    errors.run(lambda: command_line.run("mnist"))
