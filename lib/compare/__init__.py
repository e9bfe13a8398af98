"""Systems beside each other on one sequence of classes; `python -m lib.compare`."""
