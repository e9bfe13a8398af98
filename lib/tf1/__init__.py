"""Checkpoints of the TF1 programs: files by variable name, and Adam's state; `python -m lib.tf1` is the tool."""

import lib.device  # noqa: F401 - it imports TensorFlow without its start-up lines
from lib.tf1.adam import adam_variables
from lib.tf1.events import Events
from lib.tf1.files import assign, exists, keep_newest, read, write

__all__ = ["Events", "adam_variables", "assign", "exists", "keep_newest", "read", "write"]
