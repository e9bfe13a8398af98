"""Lifelong VAE: scikit-learn's handwritten digits, one after the other, by dense networks. Needs no data files.

    python run_digits_experiment.py --sequential --latent_size=14 --use_ln --min_interval=500 --max_dist_swaps=10
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
