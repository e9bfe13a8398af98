"""Lifelong VAE: your own images, one class after the other.

    python run_folder_experiment.py --data_dir=my_images --sequential --latent_size=14 --use_ln --min_interval=3000

my_images holds a folder for each class, or is an .npz file with images and labels. See lvae/README.md.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository root in place of this folder

from lvae.command_line import main  # noqa: E402

if __name__ == "__main__":
    main(__file__)
