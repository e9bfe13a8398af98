"""MeRGAN's part of `python -m lib.report`."""

from lib.mergan.report.sections import chapter, group

__all__ = ["chapter", "group"]
