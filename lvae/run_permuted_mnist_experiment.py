"""Lifelong VAE: MNIST under one permutation of its pixels after the other, by dense networks.

    python run_permuted_mnist_experiment.py --sequential --latent_size=14 --use_ln --max_dist_swaps=5

The setting of blog and paper, which published no command: 5 visits of some 4,300 iterations each, some 15 ms an
iteration on two CPU cores, so ten minutes with the tests. Expect a negative test ELBO of 107 nats after the first
permutation and 153 over all five after the last (`seen_elbo` in results.json).
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
