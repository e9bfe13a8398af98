"""The Lifelong VAE's golden files, recomputed with `lvae`."""

from tests.golden.lvae import initialisers, losses, networks, posterior, training, vanilla
from tests.golden.registry import Topic

TOPICS: dict[str, Topic] = {
    "networks": Topic(networks.compare, networks.SETTINGS),
    "reparameterisation": Topic(posterior.compare, posterior.SETTINGS),
    "losses": Topic(losses.compare, losses.SETTINGS),
    "losses_cnn": Topic(losses.compare, losses.SETTINGS),
    "training": Topic(training.compare, training.SETTINGS),
    "training_cnn": Topic(training.compare, training.SETTINGS),
    "vanilla": Topic(vanilla.compare, vanilla.SETTINGS),
    "initialisers": Topic(initialisers.compare, initialisers.SETTINGS),
    "fork_map": Topic(training.compare_fork_maps, training.FORK_MAP_SETTINGS),
}
