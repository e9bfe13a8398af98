"""MeRGAN's golden files, recomputed with `lib.mergan`."""

from tests.golden.mergan import classifiers, data, initialisers, losses, networks, replay, training
from tests.golden.mergan.common import SETTINGS
from tests.golden.registry import Topic

TOPICS: dict[str, Topic] = {
    "data": Topic(data.compare, data.SETTINGS),
    "initialisers": Topic(initialisers.compare, initialisers.SETTINGS),
    "classifiers": Topic(classifiers.compare, classifiers.SETTINGS),
    "networks": Topic(networks.compare, SETTINGS),
    **{topic: Topic(losses.compare, SETTINGS) for topic in losses.TOPICS},
    "losses_float64": Topic(losses.compare_float64, SETTINGS),
    **{topic: Topic(replay.compare, SETTINGS) for topic in replay.TOPICS},
    "replay_float64": Topic(replay.compare_float64, SETTINGS),
    "training": Topic(training.compare, SETTINGS),
    "training_float64": Topic(training.compare_float64, SETTINGS),
}
