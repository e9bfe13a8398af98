"""Runs in tables and pictures beside the published figures: `python -m lib.report RESULT_DIR...`."""
