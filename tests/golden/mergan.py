"""MeRGAN's golden files."""

from tests.golden.registry import Topic

TOPICS: dict[str, Topic] = {}
