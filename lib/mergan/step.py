"""One training iteration of MeRGAN: a generator step, then five critic steps, in one graph."""

from typing import Callable, Iterable, NamedTuple, Sequence

import keras
import tensorflow as tf

from lib import device, pictures
from lib.mergan import losses
from lib.mergan.config import Config
from lib.mergan.methods import Method, acting, build_methods
from lib.mergan.networks import Networks
from lib.mergan.noise import draw_critic_noise, draw_generator_noise
from lib.optimizers import adam, descend
from lib.run import replicas
from lib.run.repeat import looped, repeat


class Optimizers(NamedTuple):
    generator: keras.optimizers.Optimizer
    critic: keras.optimizers.Optimizer


class Report(NamedTuple):
    """What a step cost, by the weights before its update."""

    costs: losses.CriticCosts | losses.GeneratorCosts
    terms: dict[str, tf.Tensor]  # what the methods add, weighted, by name

    def quantities(self, config: Config) -> dict[str, tf.Tensor]:
        """Its scalars by their names in the log."""
        return self.costs.quantities(config) | self.terms


class Steps(NamedTuple):
    """The steps of one task, or of many."""

    critic: Callable  # (float images [batch, h, w, c], int32 labels [batch], CriticNoise) -> Report
    generator: Callable  # GeneratorNoise -> Report
    iterate: Callable  # (uint8 [k, 5, batch, h, w, c], int32 [k, 5, batch], task, first) -> {quantity: float32 [k]}
    of_generator: frozenset[str]  # quantities that iteration 0 has none of: the generator sits it out


def build_optimizers(config: Config, networks: Networks) -> Optimizers:
    """Adam for the generator and for the critic, in the order in which TF1's checkpoints number them."""
    return Optimizers(*(adam(config.learning_rate, config.beta_1, config.beta_2, network.trainable_variables,
                             config.precision) for network in (networks.generator, networks.critic)))


def reported_quantities(config: Config, methods: Sequence[Method]) -> list[str]:
    """Names of what an iteration reports, as the original prints them; `methods`: those that act in it."""
    names = ["g-cost", "d-cost", "wgan-pure", "penalty"]
    if config.joint:
        names += ["acgan-fake", "acgan-real", "wgan", "real_acc", "fake_acc"]
    for method in methods:
        names += [*method.generator_terms(), *method.critic_terms(), *method.own_steps()]
    return names


def graph_of(methods: Sequence[Method], task: int) -> tuple[tuple[Method, ...], bool]:
    """Tasks that have this in common share their steps: the methods that act, and whether they have old classes."""
    acts = tuple(acting(methods, task))
    return acts, bool(acts) and task > 0


def make_steps(config: Config, networks: Networks, optimizers: Optimizers, task: int,
               methods: Sequence[Method] | None = None, jit: bool = False,
               strategy: tf.distribute.Strategy | None = None) -> Steps:
    """The steps of task `task` (from 0, which is also the number of old classes) and all of the same `graph_of`.

    Args:
      methods: the run's, with what they remember of earlier tasks; default: fresh ones.
      jit: compile each step with XLA.
      strategy: its replicas share each batch, under whose scope networks and optimisers were built.
    """
    generator, critic = networks.generator, networks.critic
    methods, later = graph_of(build_methods(config, networks) if methods is None else methods, task)
    critic_terms = _merged(method.critic_terms() for method in methods)
    generator_terms = _merged(method.generator_terms() for method in methods)

    def critic_step(images, labels, noise) -> Report:
        images, labels, noise = _share((images, labels, noise))
        return _update(config, optimizers.critic, critic, critic_terms, noise, lambda: losses.critic_costs(
            generator, critic, images, labels, noise.latent, noise.alpha, noise.fake_labels))

    def generator_step(noise) -> Report:
        noise = _share(noise)
        return _update(config, optimizers.generator, generator, generator_terms, noise, lambda: losses.generator_costs(
            generator, critic, noise.fake_labels, noise.latent))

    critic_step, generator_step = (replicas.run_on_all(strategy, device.compiled(step, jit))
                                   for step in (critic_step, generator_step))
    own_steps = {name: replicas.run_on_all(strategy, device.compiled(step, jit))
                 for name, step in _merged(method.own_steps() for method in methods).items()}

    def generator_quantities(task, number):
        return _floats(generator_step(draw_generator_noise(config, task, number, methods)).quantities(config))

    def critic_quantities(images, labels, task, number, step):
        noise, batch = draw_critic_noise(config, task, number, step, methods), pictures.to_float(images)
        for method in methods:
            batch = method.batch(batch, noise.methods)
        costs = critic_step(batch, labels, noise).quantities(config)
        own = {name: own_step(batch, noise.methods, task) for name, own_step in own_steps.items()}
        return _floats(costs | own)

    of_generator = [*losses.GENERATOR_QUANTITIES, *generator_terms]

    def iteration(images, labels, now, number):
        now = now if later or not methods else task  # a first task's methods draw noise of shapes of its own
        # The generator sits out iteration 0 of every task, as in the original.
        quantities = tf.cond(number > 0, lambda: generator_quantities(now, number),
                             lambda: dict.fromkeys(of_generator, tf.constant(0.0)))
        last = looped(config.critic_steps,
                      lambda step, _: critic_quantities(images[step], labels[step], now, number, step),
                      dict.fromkeys([*losses.CRITIC_QUANTITIES, *critic_terms, *own_steps], tf.constant(0.0)))
        return quantities | last

    names, data = reported_quantities(config, methods), config.data
    batches = [config.critic_steps, config.batch_size]
    iterate = repeat(iteration, names, tf.TensorSpec([*batches, data.side, data.side, data.channels], tf.uint8),
                     tf.TensorSpec(batches, tf.int32), given=1)
    return Steps(critic_step, generator_step, iterate, frozenset(names).intersection(of_generator))


def _merged(parts: Iterable[dict]) -> dict:
    return {name: value for part in parts for name, value in part.items()}


def _share(whole):
    """This replica's share of images, labels and noise: of a replay, [old classes, samples, 128], of every class."""
    return tf.nest.map_structure(lambda values: replicas.share(values, int(values.shape.rank == 3)), whole)


def _update(config: Config, optimizer, network, terms: dict, noise, costs_of: Callable) -> Report:
    """One step of a network on its costs and the methods' terms."""
    def costs():
        report = Report(costs_of(), {name: term(noise.methods) for name, term in terms.items()})
        return sum(report.terms.values(), report.costs.total(config)), report

    return descend(optimizer, network, costs)


def _floats(quantities: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {name: tf.cast(value, tf.float32) for name, value in quantities.items()}
