"""The skeleton of a training run: its loop, resume points, log, options and flags."""
