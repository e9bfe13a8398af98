"""What the three systems share: data, layers, losses, running a training, checkpoints, metrics, pictures.

Nothing directly in `lib` imports a system; `lib.mergan` is the first of the three systems and lives here
because a package `mergan` beside `mergan.py` would shadow the script.
"""

import os

# TensorFlow takes oneDNN's kernels of its own accord on some processors only. They help elsewhere, too: on an AMD EPYC
# an iteration of MeRGAN needs two thirds of the time with them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Matplotlib opens no window here, and a backend of a name that it does not know would stop its import.
os.environ["MPLBACKEND"] = "agg"
