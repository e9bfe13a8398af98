"""Lifelong VAE: Fashion-MNIST's objects, one after the other, by dense networks.

    python run_fashion_dnn_experiment.py --sequential --latent_size=14 --use_bn --min_interval=12000 --max_dist_swaps=32

The published run: 32 visits of some 13,300 iterations each, some 15 ms an iteration on two CPU cores, so about two
hours. In ten minutes: --min_interval=500 --max_dist_swaps=10 --use_ln=True. Expect a negative test ELBO of 161 nats
after the first object and 211 over all ten after the tenth (`seen_elbo` in results.json).
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
