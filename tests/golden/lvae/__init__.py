"""The Lifelong VAE's golden files, recomputed with `lvae`."""

from tests.golden.lvae import data, initialisers, losses, networks, posterior, pytorch, training, vanilla
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
    "pytorch_mutual_information": Topic(pytorch.compare_information, pytorch.SETTINGS),
    "pytorch_posterior_regulariser": Topic(pytorch.compare_consistency, pytorch.SETTINGS),
    "pytorch_student_teacher": Topic(pytorch.compare_student_teacher, pytorch.SETTINGS),
    "pytorch_ewc": Topic(pytorch.compare_ewc, pytorch.SETTINGS),
    "pytorch_metrics": Topic(pytorch.compare_metrics, pytorch.SETTINGS | {"gradients"}),
    "data": Topic(data.compare, data.SETTINGS),
    "fork_map": Topic(training.compare_fork_maps, training.FORK_MAP_SETTINGS),
}
