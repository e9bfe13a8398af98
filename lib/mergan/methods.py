"""The ways not to forget, one class each: what a method adds to the costs, draws, remembers, stores and reports.

A sequential training without any of them is sequential fine tuning (SFT). RA, JTR and EWC may be on together. After
each task `networks.replay` becomes a copy of the generator, whatever the method.
"""

from typing import Callable

import tensorflow as tf

from lib import device, optimizers, randomness
from lib.mergan import baselines, replay
from lib.mergan.config import NOISE, Config
from lib.mergan.networks import Networks, copy_weights
from lib.run import replicas

# {name in the log: noise -> scalar}, where the noise is {name: N(0, 1)} of the shapes that the method asks for.
Terms = dict[str, Callable[[dict[str, tf.Tensor]], tf.Tensor]]
Shapes = dict[str, tuple[int, ...]]


class Method:
    """What a method may do; one that does not say otherwise does nothing of it.

    A task's number, from 0, is also the number of old classes. Graphs are made for many tasks at once: in them it is a
    tensor, and of noise that depends on it the shape is known only when they run.
    """

    name: str  # the paper's short name, and the flag
    meaning: str  # for a reader of the report
    switch: str  # the setting that turns it on
    first_task = 1  # in which it acts

    def __init__(self, config: Config, networks: Networks):
        self.config, self.networks = config, networks
        self.state = {}  # what a resume point holds of it beside the networks: {name: variables}
        self.optimizers = ()  # of its own, reset before each task

    @staticmethod
    def critic_noise(config: Config, task: int) -> Shapes:
        """What a critic step draws for it."""
        return {}

    @staticmethod
    def generator_noise(config: Config, task: int) -> Shapes:
        """What a generator step draws for it."""
        return {}

    def critic_terms(self) -> Terms:
        """What it adds to the critic's cost, weighted."""
        return {}

    def generator_terms(self) -> Terms:
        """What it adds to the generator's cost, weighted."""
        return {}

    def batch(self, images: tf.Tensor, noise: dict[str, tf.Tensor]) -> tf.Tensor:
        """What the critic takes for real in place of the new class's images [n, h, w, c] in [-1, 1]."""
        return images

    def own_steps(self) -> dict[str, Callable[[tf.Tensor, dict[str, tf.Tensor], tf.Tensor], tf.Tensor]]:
        """What it trains itself after each critic step: {name in the log: (that step's batch, noise, task) -> cost}."""
        return {}

    def remember(self, task: int) -> None:
        """Keep what later tasks need of the one just learned."""


def _replayed(config: Config, task: int) -> tuple[int, ...]:
    """Of a replay's noise: [old classes, samples, 128]."""
    return task, config.replay_samples(task), NOISE


class ReplayAlignment(Method):
    """Old classes' images stay those of the generator as it was before the task, pixel by pixel (eq. 13)."""

    name, switch = "RA", "replay_alignment"
    meaning = "MeRGAN, replay alignment"

    @staticmethod
    def generator_noise(config, task):
        return {"alignment": _replayed(config, task)}

    def generator_terms(self):
        return {"RA-cost": self._cost}

    def _cost(self, noise):
        distances = replay.alignment_distances(self.networks.generator, self.networks.replay, noise["alignment"])
        # A sum over samples, unlike the means of all other costs: r times its own part stands for the whole.
        return replicas.count() * replay.alignment_cost(self.config, distances)


class JointReplay(Method):
    """Images of old classes, generated before the task, join the new class's data (eqs. 11 and 12)."""

    name, switch = "JTR", "joint_replay"
    meaning = "MeRGAN, joint training with replay"

    @staticmethod
    def critic_noise(config, task):
        return {"replay": _replayed(config, task)}

    generator_noise = critic_noise

    def generator_terms(self):
        return {"JTR_gen_cost": lambda noise: self._costs(noise).generator_total(self.config)}

    def critic_terms(self):
        return {"JTR_disc_cost": lambda noise: self._costs(noise).critic_total(self.config)}

    def _costs(self, noise) -> replay.ReplayCosts:
        return replay.joint_replay_costs(self.networks.generator, self.networks.replay, self.networks.critic,
                                         noise["replay"])


class GenerativeReplay(Method):
    """An unconditional GAN learns the new class among images of the old ones; a solver says which is which."""

    name, switch = "DGR", "generative_replay"
    meaning = "deep generative replay, whose own classifier says of what class an image is"
    first_task = 0

    def __init__(self, config, networks):
        super().__init__(config, networks)
        self._optimizer = optimizers.adam(config.learning_rate, config.beta_1, config.beta_2,
                                          networks.solver.trainable_variables, config.precision)
        self.state = {"solver_optimizer": self._optimizer}
        self.optimizers = (self._optimizer,)

    @staticmethod
    def critic_noise(config, task):
        return {"mixture": (config.batch_size - baselines.new_samples(config, task), NOISE)}

    def batch(self, images, noise):
        return baselines.mix_with_replay(self.networks.replay, images, noise["mixture"])

    def own_steps(self):
        def step(mixture, noise, task):
            labels = baselines.mixed_labels(self.networks.replay_solver, mixture, noise["mixture"], task)
            own = replicas.share(mixture), replicas.share(labels)
            return optimizers.descend(self._optimizer, self.networks.solver, lambda: cost(*own))

        def cost(mixture, labels):
            value = baselines.solver_cost(self.networks.solver, mixture, labels)
            return value, value

        return {"solver-cost": step}

    def remember(self, task):
        copy_weights(self.networks.solver, self.networks.replay_solver)


class Consolidation(Method):
    """Weights stay near those before the task, the more the more old classes depend on them (eq. 9)."""

    name, switch = "EWC", "consolidation"
    meaning = "elastic weight consolidation"

    def __init__(self, config, networks):
        super().__init__(config, networks)
        # The diagonal Fisher information of the generator, zero until a class is learned.
        self.fisher = [tf.Variable(tf.zeros(variable.shape), trainable=False)
                       for variable in networks.generator.trainable_variables]
        self.state = {"fisher": self.fisher}
        self._estimates = config.fisher_batches if config.fisher == "batches" else config.fisher_samples
        self._add = device.graph(self._add_estimate)

    def generator_terms(self):
        return {"EWC-cost": lambda noise: baselines.consolidation_cost(
            self.config, self.networks.generator, self.networks.replay, self.fisher)}

    def remember(self, task):
        """Estimate the Fisher information of the class just learned; add it to that of the others, if they count."""
        if self.config.fisher_of == "last":
            for total in self.fisher:
                total.assign(tf.zeros_like(total))
        for number in range(self._estimates):
            batch, index = (number, 0) if self.config.fisher == "batches" else divmod(number, self.config.batch_size)
            self._add(*map(tf.constant, (task, batch, index)))

    def _add_estimate(self, task, batch, index):
        config = self.config
        noise = tf.random.stateless_normal([config.batch_size, NOISE],
                                           randomness.key(config.seed, "fisher", task, batch))
        new = baselines.fisher_estimate(config, self.networks.generator, self.networks.critic,
                                        tf.fill([config.batch_size], task), noise, index)
        for total, part in zip(self.fisher, new, strict=True):
            total.assign_add(part / self._estimates)


# In the order in which their terms are added up, which is the paper's backwards.
METHODS = (ReplayAlignment, JointReplay, GenerativeReplay, Consolidation)


def name_of(settings: dict) -> str:
    """The paper's short name of what a run trained with; combinations are joined by a plus."""
    switches = {"joint": "JT", **{method.switch: method.name for method in reversed(METHODS)}}
    return " + ".join(name for switch, name in switches.items() if settings.get(switch)) or "SFT"


def chosen(config: Config) -> list[type[Method]]:
    """The methods that a run's settings turn on."""
    return [method for method in METHODS if getattr(config, method.switch)]


def build_methods(config: Config, networks: Networks) -> list[Method]:
    """The same, for these networks."""
    return [method(config, networks) for method in chosen(config)]


def acting(methods: list, task: int) -> list:
    """Those of some methods that act in a task."""
    return [method for method in methods if task >= method.first_task]
