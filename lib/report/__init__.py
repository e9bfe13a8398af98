"""Runs of any system in tables and pictures: `python -m lib.report RUN...`.

Here are the page, what all runs have, and what is shown of them whatever they learned. What else there is to show of a
system's runs its own module `report` knows. It offers

    group(settings: dict) -> str                                   what runs that can be compared share, as the data set
    chapter(runs: Sequence[Run], options: Options) -> Chapter      what the page shows of runs of one group

Both raise `UserError` for files that are not what they should be.
"""
