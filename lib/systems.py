"""The one list of the systems. Shared code reaches a system through it only, by what every system offers:

    interchange   MODELS: the models that its TF1 program's checkpoints hold (`python -m lib.tf1`)
    tables        TABLES: its published tables (`python -m lib.reproduce`)
    report        its chapter of `python -m lib.report`
    sampler       how a run or checkpoint becomes a model to sample from (`python -m lib.sample`)
    command_line  parsers(): the flags of its scripts (`python -m lib.reproduce.flag_tables`)
"""

import importlib
from types import ModuleType

SYSTEMS = {"mergan": "lib.mergan", "memorygan": "memorygan", "lvae": "lvae"}  # name -> package
TITLES = {"mergan": "MeRGAN", "memorygan": "memoryGAN", "lvae": "Lifelong VAE"}  # as `settings.json` has them


def part(system: str, name: str) -> ModuleType:
    """A module of a system, imported when it is asked for: a system brings TensorFlow with it."""
    return importlib.import_module(f"{SYSTEMS[system]}.{name}")


def system_of(settings: dict) -> str | None:
    """Which system wrote a run's settings; None if none of these did."""
    return next((name for name, title in TITLES.items() if settings.get("system") == title), None)
