"""Run by tests in processes of their own: two logical CPU devices or workers.

    python -m tests.lvae.on_two_devices steps
    python -m tests.lvae.on_two_devices train DIRECTORY mirrored
    python -m lib.workers 2 -m tests.lvae.on_two_devices train DIRECTORY multi_worker
"""

import numpy as np
import tensorflow as tf

from lib import device, errors
from lib.run.options import Options
from lvae import train
from lvae.config import Architecture, Config, make_config
from lvae.learner import Learner
from tests.several_devices import assert_close, assert_equal_on_all, split_cpu

DENSE = Architecture("dense", (32, 32, 1), "bernoulli", (16,), (16,))
INFORMED = dict(discrete_mut_info=0.1, continuous_mut_info=0.1)
SETTINGS = [
    dict(mutual_info_reg=0.1),
    dict(mutual_info_reg=0.1, monte_carlo_infogain=True, **INFORMED),
    dict(formulas="pytorch", mut_clamp_strategy="norm", likelihood_gamma=0.1, **INFORMED),
    dict(mut_clamp_value=0.3, **INFORMED),  # cuts some of the rows
    dict(optimizer="adamnorm", use_ln=True),
    dict(method="ewc", ewc_gamma=3.0),
    dict(method="vanilla", reparam_type="discrete"),
]


def config_of(**settings) -> Config:
    return make_config("digits", architecture=DENSE, sequential=True, batch_size=10, latent_size=3, **settings)


def images() -> tf.Tensor:
    return tf.random.stateless_uniform([1, 10, 1024], [1, 2])


def trained(config: Config) -> Learner:
    """In its third visit: of 10 rows 3 are current ones, so that replicas have different numbers of both kinds."""
    learner = Learner(config)
    for visit in (1, 2):
        learner.steps().iterate(images(), 0)
        if config.method == "ewc":
            learner.hold([tf.ones_like(variable.value) for variable in learner.networks.student.trainable_variables])
        learner.visited.append(visit)
        if config.is_lifelong:
            learner.fork(1)
    learner.steps().iterate(images(), 0)  # a student that differs from its teacher
    return learner


def same_on(strategy, learner: Learner) -> Learner:
    shared = Learner(learner.config, strategy=strategy)
    shared.deserialize(learner.serialize())
    return shared


def all_variables(learner: Learner) -> list:
    teacher = learner.networks.teacher
    return [*learner.networks.student.variables, *learner.optimizer.variables, *(teacher.variables if teacher else [])]


def compare_steps(strategy, **settings) -> None:
    """Without batch norm two replicas report and learn what one device does, to rounding."""
    plain = trained(config_of(**settings))
    shared = same_on(strategy, plain)
    ours, theirs = (learner.steps().iterate(images(), 1) for learner in (plain, shared))
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert_close([ours[name]], [theirs[name]], 1e-5, f"{name} {settings}")
    # Adam's moments hold the gradients.
    assert_close(plain.optimizer.variables, shared.optimizer.variables, 1e-4, str(settings))
    assert_equal_on_all(strategy, all_variables(shared))


def compare_averages(strategy) -> None:
    """Batch norms' averages, of which the original's teacher moves its own too, stay equal on all replicas."""
    plain = trained(config_of(use_bn=True))
    shared = same_on(strategy, plain)
    before = [np.asarray(average) for average in shared.networks.teacher.variables]
    for learner in (plain, shared):
        learner.steps().iterate(images(), 1)
    assert_equal_on_all(strategy, all_variables(shared))
    assert any((old != np.asarray(new)).any() for old, new in zip(before, shared.networks.teacher.variables))
    # Nothing normalised stands before the first layer: its mean over the batch is the shares' mean.
    means = [learner.networks.teacher.decoder.norms[0].moving_mean for learner in (plain, shared)]
    assert_close([means[0]], [means[1]], 1e-5)


def main(arguments) -> None:
    split_cpu(arguments[-1])
    if arguments[0] == "steps":
        strategy = device.strategy("mirrored")
        for settings in SETTINGS:
            compare_steps(strategy, **settings)
        compare_averages(strategy)
    else:
        _, directory, strategy = arguments
        config = config_of(min_interval=10, max_dist_swaps=2, test_interval=0, use_bn=True)
        train.run(config, directory, data_dir="", options=Options(strategy=strategy))


if __name__ == "__main__":
    errors.run(main)
