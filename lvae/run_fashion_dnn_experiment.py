"""Lifelong VAE: Fashion-MNIST's objects, with dense networks. See README.md.

    python run_fashion_dnn_experiment.py --sequential=True --latent_size=14 --min_interval=12000 --max_dist_swaps=32
"""

import sys
from pathlib import Path

from absl import flags

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # the repository root in place of this folder

from lib import errors  # noqa: E402
from lvae import command_line  # noqa: E402

command_line.define_flags("fashion_dnn")
flags.adopt_module_key_flags(command_line)

if __name__ == "__main__":
    errors.run(lambda: command_line.run("fashion_dnn"))
