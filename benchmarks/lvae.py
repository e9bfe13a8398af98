"""Lifelong VAE: training steps after so many forks, of convolutional (mnist) and of dense networks (fashion_dnn)."""

import numpy as np
import tensorflow as tf

from benchmarks import flops
from benchmarks.timing import ITERATIONS, Case
from lvae import fork, step
from lvae.config import Config, make_config
from lvae.lifelong import Lineage
from lvae.networks import Latents, Networks, Vae

# Iterations of one call. A training's takes two seconds, beside which what a call itself costs is nothing.
EXPERIMENTS = {"mnist": ITERATIONS, "fashion_dnn": 20}


def cases(experiment: str, forks, precision: str, jit: bool) -> list[Case]:
    config = make_config(experiment, sequential=True, latent_size=14, use_bn=True, precision=precision)
    return [_case(config, count, jit) for count in forks]


def _case(config: Config, forks: int, jit: bool) -> Case:
    """Each fork adds a class, as ten digits do."""
    lineage = Lineage(Latents(config.latent_size, 1), forks, forks)
    student, optimizer = fork.build_student(config, lineage)
    teacher = fork.build_model(config, Lineage(lineage.first, forks - 1, forks - 1))
    steps = step.make_steps(config, forks, lineage, Networks(student, teacher), optimizer, step.start_clock(), jit=jit)
    iterations = EXPERIMENTS[config.experiment]
    shape = [iterations, config.batch_size, *config.architecture.input_shape]
    images = tf.constant(np.random.default_rng(0).random(shape, np.float32))
    about = {"system": "Lifelong VAE", "dataset": config.experiment, "method": "lifelong", "forks": forks,
             "precision": config.precision, "jit": jit, "step": "iteration"}
    return Case(about, lambda: steps.iterate(images, tf.constant(0)), operations(config, student, teacher),
                config.batch_size, iterations)


def operations(config: Config, student: Vae, teacher: Vae) -> float:
    """Floating-point operations of a step: the teacher makes and encodes a whole batch, the student learns from one."""
    learning, remembering = _networks(config, student), _networks(config, teacher)
    of_student = learning[0].trained + learning[1].trained + _first(learning[1])
    of_teacher = sum(network.forward for network in remembering)
    return flops.operations(config.batch_size * (of_student + of_teacher))


def _first(network: flops.Network) -> int:
    """The decoder's input is the encoder's output and needs a gradient."""
    return network.to_input - network.by_inputs


def _networks(config: Config, vae: Vae) -> tuple[flops.Network, flops.Network]:
    return (flops.network(vae.encoder, tf.zeros([1, *config.architecture.input_shape])),
            flops.network(vae.decoder, tf.zeros([1, vae.latents.size])))
