"""The published tables, run again and written beside the published figures: `python -m lib.reproduce`."""
