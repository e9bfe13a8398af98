"""Lifelong VAE: All of MNIST, then all of SVHN, the order in which the blog looks at what is carried over.

    python run_mnist_svhn_experiment.py --sequential --latent_size=14 --use_bn --min_interval=12000 --max_dist_swaps=2

An iteration takes about 0.85 s on two CPU cores. Expect mnist_... and svhn_test_elbo.csv in experiment_<n>/models, a
line per visit.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
