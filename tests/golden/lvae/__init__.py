"""The Lifelong VAE's golden files, recomputed with `lvae`."""

from tests.golden.lvae import losses, networks, posterior
from tests.golden.registry import Topic

TOPICS: dict[str, Topic] = {
    "networks": Topic(networks.compare, networks.SETTINGS),
    "reparameterisation": Topic(posterior.compare, posterior.SETTINGS),
    "losses": Topic(losses.compare, losses.SETTINGS),
    "losses_cnn": Topic(losses.compare, losses.SETTINGS),
}
