"""What the three systems share: data, layers, losses, running a training, checkpoints, metrics, pictures.

Nothing directly in `lib` imports a system; `lib.mergan` is the first of the three systems and lives here
because a package `mergan` beside `mergan.py` would shadow the script.
"""
