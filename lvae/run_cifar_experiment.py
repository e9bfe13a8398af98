"""Lifelong VAE: CIFAR-10's classes, one after the other, by convolutional networks.

    python run_cifar_experiment.py --sequential --latent_size=14 --use_bn --min_interval=12000 --max_dist_swaps=32

The published run: 32 visits of some 13,300 iterations each. An iteration takes about 0.85 s on two CPU cores, so the
whole is work for a GPU; --min_interval=500 --max_dist_swaps=3 --use_ln=True shows all there is in about an hour. Expect
a model, its test ELBO and pictures after each class in experiment_<n>; the logistic likelihood is a density, so the
negative ELBO may go below zero.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
