"""MeRGAN's golden files, recomputed with `lib.mergan`."""

import functools

from tests.golden.mergan import classifiers, data, initialisers, losses, networks, replay, training
from tests.golden.mergan.common import SETTINGS, each
from tests.golden.registry import Topic

TOPICS: dict[str, Topic] = {
    "data": Topic(data.cases, data.SETTINGS, data.place),
    "initialisers": Topic(initialisers.cases, initialisers.SETTINGS),
    "classifiers": Topic(each(classifiers.compare), classifiers.SETTINGS),
    "networks": Topic(each(networks.compare), SETTINGS),
    **{topic: Topic(each(losses.compare), SETTINGS) for topic in losses.TOPICS},
    "losses_float64": Topic(each(losses.compare, losses.TOPICS), SETTINGS),
    **{topic: Topic(each(replay.compare), SETTINGS) for topic in replay.TOPICS},
    "replay_float64": Topic(each(replay.compare, replay.TOPICS), SETTINGS),
    "training": Topic(training.cases, SETTINGS, training.place),
    "training_float64": Topic(functools.partial(training.cases, siblings=("training",)), SETTINGS, training.place),
}
