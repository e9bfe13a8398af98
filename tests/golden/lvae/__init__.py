"""The Lifelong VAE's golden files, recomputed with `lvae`."""

from tests.golden.lvae import data, initialisers, losses, networks, posterior, pytorch, training, vanilla
from tests.golden.registry import Topic, by_name

TOPICS: dict[str, Topic] = {
    "networks": Topic(by_name(networks.compare), networks.SETTINGS),
    "reparameterisation": Topic(posterior.cases, posterior.SETTINGS),
    "losses": Topic(losses.cases, losses.SETTINGS),
    "losses_cnn": Topic(losses.cases, losses.SETTINGS),
    "training": Topic(by_name(training.compare), training.SETTINGS),
    "training_cnn": Topic(by_name(training.compare), training.SETTINGS),
    "vanilla": Topic(by_name(vanilla.compare), vanilla.SETTINGS),
    "initialisers": Topic(initialisers.cases, initialisers.SETTINGS),
    "pytorch_mutual_information": Topic(pytorch.information_cases, pytorch.SETTINGS),
    "pytorch_posterior_regulariser": Topic(pytorch.consistency_cases, pytorch.SETTINGS),
    "pytorch_student_teacher": Topic(pytorch.student_teacher_cases, pytorch.SETTINGS),
    "pytorch_ewc": Topic(pytorch.ewc_cases, pytorch.SETTINGS),
    "pytorch_metrics": Topic(pytorch.metrics_cases, pytorch.SETTINGS | {"gradients"}),
    "data": Topic(data.cases, data.SETTINGS),
    "rotations": Topic(by_name(data.compare_rotations), data.SETTINGS),
    "fork_map": Topic(by_name(training.compare_fork_map), training.FORK_MAP_SETTINGS),
}
