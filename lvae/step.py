"""One training step of a VAE and one test batch, with the optimiser and the annealing that they go by."""

from typing import Callable, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lib import device, optimizers
from lib.run import replicas
from lib.run.repeat import repeat
from lvae import baselines, lifelong
from lvae import posterior as q
from lvae.baselines import Anchor
from lvae.config import Config
from lvae.lifelong import Lineage, Noise, Outcome
from lvae.networks import Networks
from lvae.noise import draw_noise
from lvae.posterior import Annealing

# TF1 holds Adam's decay rates in float32; that makes 1 - beta_2 smaller by 1.3e-5 of itself.
_BETA_1, _BETA_2 = float(np.float32(0.9)), float(np.float32(0.999))

QUANTITIES = ("loss", "elbo", "latent_kl", "log_likelihood", "consistency", "consistency_accuracy", "information",
              "teacher_likelihood", "ewc_penalty", "grad_norm")
_TESTED = ("loss", "elbo", "latent_kl", "log_likelihood")


class Clock(NamedTuple):
    """Where a model's annealing stands; the variables behind `posterior.Annealing`."""

    calls: tf.Variable
    temperature: tf.Variable

    def read(self) -> Annealing:
        return Annealing(self.calls.value(), self.temperature.value())

    def write(self, state: Annealing) -> None:
        self.calls.assign(state.calls)
        self.temperature.assign(state.temperature)


class Steps(NamedTuple):
    """The steps of one visit. Costs are those of the weights before the update. `train` is one replica's."""

    train: Callable  # (images [batch, ...], Noise, temperature) -> (Outcome, EWC's penalty, norm of the gradient)
    iterate: Callable  # (float32 [k, batch, ...], first) -> {quantity: float32 [k]}
    test: Callable  # (images [n, ...], number of the test, number of the batch) -> {quantity: mean over the batch}


def build_optimizer(config: Config, variables: list[keras.Variable]) -> keras.optimizers.Optimizer:
    """A fresh Adam of these variables."""
    return optimizers.adam(config.learning_rate, _BETA_1, _BETA_2, variables, config.precision)


def start_clock() -> Clock:
    state = q.start_annealing()
    return Clock(tf.Variable(state.calls), tf.Variable(state.temperature))


def current_temperature(config: Config, state: Annealing) -> tf.Tensor:
    """Of the Gumbel-softmax, where annealing stands."""
    return state.temperature if config.formulas == "tf1" else q.temperature_by_forward_call(state.calls)


def _after_tests(config: Config, state: Annealing, batches: int) -> Annealing:
    # The PyTorch version's reparameteriser is called for the images and again for their reconstructions.
    return q.after_test_calls(state, batches if config.formulas == "tf1" else 2 * batches)


def _after_training(config: Config, state: Annealing) -> Annealing:
    # The PyTorch version's temperature follows from the count alone.
    return q.after_training_call(state) if config.formulas == "tf1" else _after_tests(config, state, 1)


def advance_clock(config: Config, clock: Clock, batches: int) -> None:
    """Count the batches of a test: the original's annealing counts all calls of a model, not only those that train."""
    clock.write(_after_tests(config, clock.read(), batches))


def wind_clock(config: Config, clock: Clock, iterations: int) -> None:
    """Count so many training steps of a model that is loaded, as if they had been made here, without tests."""
    calls = _after_tests(config, q.start_annealing(), iterations).calls
    # TF1's temperature is that of the last tenth call; that of call 0 is 1, with which it begins.
    clock.write(Annealing(calls, q.temperature_by_forward_call(tf.constant(max(iterations - 1, 0)))))


def normalised(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    """Each tensor divided by its norm + 1e-7: the PyTorch version's `adamnorm` before Adam."""
    return [gradient / (tf.norm(gradient) + 1e-7) for gradient in gradients]


def descend(config: Config, optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> None:
    """Update the variables, all by gradients of the old weights; in the original, updates and gradients race.

    Args:
      gradients: of the cost as the optimizer's `scale_loss` gave it back.
    """
    if config.optimizer == "adamnorm":
        gradients = [optimizer.scale_loss(gradient) for gradient in normalised(gradients)]
    optimizer.apply(gradients, variables)


def reported_quantities(config: Config, networks: Networks, anchor: Anchor | None) -> list[str]:
    """Names of what a training step reports."""
    teaches = networks.teacher is not None
    present = {"consistency": teaches, "consistency_accuracy": teaches, "information": config.informs,
               "teacher_likelihood": teaches and config.likelihood_gamma, "ewc_penalty": anchor}
    return [name for name in QUANTITIES if present.get(name, True)]


def _means(config: Config, outcome: Outcome) -> dict[str, tf.Tensor]:
    """Means over the batch by the names they are reported under."""
    costs = outcome.costs
    rows = {"loss": costs.rows(config), "elbo": costs.elbo, "latent_kl": costs.latent_kl,
            "log_likelihood": costs.log_likelihood, "consistency": costs.consistency,
            "information": costs.information, "teacher_likelihood": costs.teacher_likelihood}
    means = {name: tf.reduce_mean(row) for name, row in rows.items()}
    agrees = outcome.consistency_accuracy if outcome.teacher is not None else tf.constant(1.0)
    return means | {"consistency_accuracy": agrees}


def make_steps(config: Config, visit: int, lineage: Lineage, networks: Networks, optimizer, clock: Clock,
               anchor: Anchor | None = None, jit: bool = False, strategy: tf.distribute.Strategy | None = None
               ) -> Steps:
    """The steps of visit number `visit` (from 0).

    Args:
      jit: compile the training step with XLA.
      strategy: its replicas share each batch that trains, under whose scope networks and optimiser were built.
    """
    own = lifelong.forked_config(config, lineage)
    variables = networks.student.trainable_variables

    def train(images, noise: Noise, temperature) -> tuple[Outcome, tf.Tensor, tf.Tensor]:
        values = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            outcome = lifelong.student_costs(own, networks, lineage, images, noise, temperature, training=True)
            held = baselines.penalty(config.ewc_gamma, values, anchor) if anchor else tf.constant(0.0)
            total = outcome.costs.total(own) + tf.cast(held, outcome.costs.log_likelihood.dtype)
            scaled = optimizer.scale_loss(total)
        gradients = replicas.mean(tape.gradient(scaled, values))
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.ones([], total.dtype))
        if config.precision == "mixed_float16":  # an overflow, which the loss scaling leaves out, counts as no step
            norm = tf.where(tf.math.is_finite(norm), norm, tf.zeros_like(norm))
        descend(config, optimizer, gradients, variables)
        return outcome, held, norm

    train = device.compiled(train, jit)

    def reported(images, noise: Noise, temperature):
        outcome, held, norm = train(images, noise, temperature)
        means = _means(own, outcome)
        means["loss"] += tf.cast(held, means["loss"].dtype)
        if outcome.teacher is not None:  # replicas need not have equally many replayed rows
            replayed = lifelong.shares(config, lineage, images.shape[0])[1]
            means["consistency_accuracy"] *= replicas.count() * outcome.teacher.logits.shape[0] / replayed
        return means | {"ewc_penalty": held, "grad_norm": norm}

    reported = replicas.run_on_all(strategy, reported)

    def iteration(images, number):
        state = clock.read()
        noise = draw_noise(config, lineage, networks, images.shape[0], "train", visit, number)
        means = reported(images, noise, current_temperature(config, state))
        clock.write(_after_training(config, state))
        return means

    @device.graph
    def test(images, number, index):
        noise = draw_noise(config, lineage, networks, images.shape[0], "test", visit, number, index)
        outcome = lifelong.evaluation_costs(own, networks, lineage, images, noise,
                                            current_temperature(config, clock.read()))
        return {name: mean for name, mean in _means(own, outcome).items() if name in _TESTED}

    batch = tf.TensorSpec([config.batch_size, *config.architecture.input_shape], tf.float32)
    iterate = repeat(iteration, reported_quantities(config, networks, anchor), batch)
    return Steps(train, iterate, test)
