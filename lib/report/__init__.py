"""Runs of any system in tables and pictures: `python -m lib.report RUN...`.

Here are the page, what all runs have, and what is shown of them whatever they learned. What else there is to show of a
system's runs its own part `report` knows, see `lib.report.runs.Part`.
"""
