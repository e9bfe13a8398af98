"""One training step of a VAE and one test batch, and all randomness that they use."""

from typing import Callable, NamedTuple

import keras
import tensorflow as tf

from lib import device, randomness
from lvae import baselines, lifelong
from lvae import posterior as q
from lvae.baselines import Anchor
from lvae.config import Config
from lvae.lifelong import Lineage, Noise, Outcome, ReplayNoise
from lvae.losses import InformationNoise
from lvae.networks import Latents, Networks
from lvae.posterior import Annealing, LatentNoise


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
    """The steps of one distribution. Costs are those of the weights before the update."""

    train: Callable  # (images [batch, ...], Noise, temperature) -> (Outcome, EWC's penalty, norm of the gradient)
    iterate: Callable  # (float32 [k, batch, ...], first) -> {quantity: float32 [k]}
    test: Callable  # (images [n, ...], number of the test, number of the batch) -> {quantity: mean over the batch}


QUANTITIES = ("loss", "elbo", "latent_kl", "log_likelihood", "consistency", "consistency_accuracy", "information",
              "teacher_likelihood", "ewc_penalty", "grad_norm")


def reported_quantities(config: Config, networks: Networks, anchor: Anchor | None) -> list[str]:
    """Names of what a training step reports."""
    absent = set() if config.informs else {"information"}
    absent |= set() if networks.teacher and config.likelihood_gamma else {"teacher_likelihood"}
    absent |= set() if networks.teacher else {"consistency", "consistency_accuracy"}
    absent |= set() if anchor else {"ewc_penalty"}
    return [name for name in QUANTITIES if name not in absent]


def start_clock() -> Clock:
    state = q.start_annealing()
    return Clock(tf.Variable(state.calls), tf.Variable(state.temperature))


def current_temperature(config: Config, state: Annealing) -> tf.Tensor:
    """Of the Gumbel-softmax, where annealing stands."""
    return state.temperature if config.formulas == "tf1" else q.temperature_by_forward_call(state.calls)


def _after(config: Config, state: Annealing, training: bool) -> Annealing:
    if config.formulas == "tf1":
        return q.after_training_call(state) if training else q.after_test_calls(state)
    # The PyTorch version's reparameteriser is called for the images and again for their reconstructions.
    return q.after_test_calls(state, 2)


def draw_latent(latents: Latents, rows: int, key: Callable) -> LatentNoise:
    return LatentNoise(tf.random.stateless_normal([rows, latents.continuous], key("normal")),
                       tf.random.stateless_uniform([rows, latents.classes], key("uniform")))


def _draw_classes(classes: int, rows: int, key) -> tf.Tensor:
    return tf.random.stateless_uniform([rows], key, 0, max(classes, 1), tf.int32)


def draw_replay(latents: Latents, rows: int, key: Callable) -> ReplayNoise:
    return ReplayNoise(tf.random.stateless_normal([rows, latents.continuous], key("replay")),
                       _draw_classes(latents.classes, rows, key("replay classes")))


def draw_noise(config: Config, lineage: Lineage, networks: Networks, rows: int, stream: str, *counters) -> Noise:
    """All that one call on `rows` images draws; a function of the run's seed, the stream and the counters."""

    def key(name):
        return randomness.key(config.seed, f"{stream}/{name}", *counters)

    latents, teacher = networks.student.latents, networks.teacher
    information = uniform = None
    if config.monte_carlo_infogain:
        information = InformationNoise(
            _draw_classes(latents.classes, rows, key("information classes")),
            tf.random.stateless_normal([rows, latents.continuous], key("information")),
            tf.random.stateless_normal([rows, latents.continuous], key("information prior")))
    if teacher and config.likelihood_gamma:
        replayed = lifelong.shares(config, lineage, rows)[1]
        uniform = tf.random.stateless_uniform([replayed, teacher.latents.classes], key("teacher"))
    return Noise(draw_latent(latents, rows, key), _draw_classes(latents.classes, rows, key("classes")),
                 draw_replay(teacher.latents, rows, key) if teacher else None, uniform, information)


def normalised(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    """Each tensor divided by its norm + 1e-7: the PyTorch version's `adamnorm` before Adam."""
    return [gradient / (tf.norm(gradient) + 1e-7) for gradient in gradients]


def descend(config: Config, optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> None:
    """Update the variables with all gradients of the old weights; the original's updates race them (quirk 1).

    Args:
      gradients: of the cost as the optimizer's `scale_loss` gave it back.
    """
    if config.optimizer == "adamnorm":
        gradients = [optimizer.scale_loss(gradient) for gradient in normalised(gradients)]
    optimizer.apply(gradients, variables)


def make_steps(config: Config, phase: int, lineage: Lineage, networks: Networks, optimizer, clock: Clock,
               anchor: Anchor | None = None, jit: bool = False) -> Steps:
    """The steps of distribution number `phase` (from 0).

    Args:
      jit: compile the training step with XLA.
    """
    settings = lifelong.forked_config(config) if lineage.forks else config
    student = networks.student
    variables = student.trainable_variables
    names = reported_quantities(config, networks, anchor)

    def train(images, noise: Noise, temperature) -> tuple[Outcome, tf.Tensor, tf.Tensor]:
        values = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            outcome = lifelong.student_costs(settings, networks, lineage, images, noise, temperature, training=True)
            held = baselines.penalty(config.ewc_gamma, values, anchor) if anchor else tf.constant(0.0)
            total = outcome.costs.total(settings) + tf.cast(held, outcome.costs.log_likelihood.dtype)
            scaled = optimizer.scale_loss(total)
        gradients = tape.gradient(scaled, values)
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.ones([], total.dtype))
        if config.precision == "mixed_float16":  # an overflow, which the loss scaling leaves out, counts as no step
            norm = tf.where(tf.math.is_finite(norm), norm, tf.zeros_like(norm))
        descend(config, optimizer, gradients, variables)
        return outcome, held, norm

    train = device.compiled(train, jit)

    def quantities(images, number, temperature):
        noise = draw_noise(config, lineage, networks, images.shape[0], "train", phase, number)
        outcome, held, norm = train(images, noise, temperature)
        values = _means(settings, outcome) | {"ewc_penalty": held, "grad_norm": norm}
        values["loss"] += tf.cast(held, values["loss"].dtype)
        return {name: tf.cast(values[name], tf.float32) for name in names}

    batch = [config.batch_size, *config.architecture.input_shape]

    @tf.function(input_signature=[tf.TensorSpec([None, *batch], tf.float32), tf.TensorSpec([], tf.int32)])
    def iterate(images, first):
        count = tf.shape(images)[0]
        history = {name: tf.TensorArray(tf.float32, count) for name in names}
        state = clock.read()
        for k in tf.range(count):
            values = quantities(images[k], first + k, current_temperature(config, state))
            state = _after(config, state, training=True)
            history = {name: history[name].write(k, values[name]) for name in names}
        clock.write(state)
        return {name: history[name].stack() for name in names}

    @tf.function
    def test(images, number, index):
        state = clock.read()
        noise = draw_noise(config, lineage, networks, images.shape[0], "test", phase, number, index)
        outcome = lifelong.evaluation_costs(settings, networks, lineage, images, noise,
                                            current_temperature(config, state))
        return {name: value for name, value in _means(settings, outcome).items() if name in _TESTED}

    return Steps(train, iterate, test)


_TESTED = ("loss", "elbo", "latent_kl", "log_likelihood")


def _means(config: Config, outcome: Outcome) -> dict[str, tf.Tensor]:
    """Means over the batch by the names they are reported under."""
    costs = outcome.costs
    rows = {"loss": costs.rows(config), "elbo": costs.elbo, "latent_kl": costs.latent_kl,
            "log_likelihood": costs.log_likelihood, "consistency": costs.consistency,
            "information": costs.information, "teacher_likelihood": costs.teacher_likelihood}
    means = {name: tf.reduce_mean(row) for name, row in rows.items()}
    agrees = outcome.consistency_accuracy if outcome.teacher is not None else tf.constant(1.0)
    return means | {"consistency_accuracy": agrees}


def advance_clock(config: Config, clock: Clock, batches: int) -> None:
    """Count a test pass: the original's annealing counts its calls, too (quirk 7)."""
    state = clock.read()
    for _ in range(batches):
        state = _after(config, state, training=False)
    clock.write(state)
