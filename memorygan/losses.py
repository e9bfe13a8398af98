"""Costs of memoryGAN (the paper's eqs. 7 and 8) and of the plain GAN it is compared with.

Pure functions of networks, memory, images, noise and slots: nothing random is drawn, no variable is changed. What a
pass would change (the memory, batch statistics) is part of its result.
"""

from typing import NamedTuple

import tensorflow as tf

from lib.run import replicas
from memorygan import memory
from memorygan.config import Config
from memorygan.memory import MemoryState, Update
from memorygan.networks import Networks

_CLIP = 1e-3  # probabilities are held within [clip, 1 - clip] before the logarithm


class Judgement(NamedTuple):
    """What a discriminator says of a batch: means over its samples, scalars."""

    as_real: tf.Tensor  # -log p(real)
    as_fake: tf.Tensor  # -log p(fake)
    probability: tf.Tensor  # p(real)


def judge_probabilities(probability: tf.Tensor) -> Judgement:
    """A batch's Judgement from p(y = 1 | x) [n]; a clipped sample has no gradient."""

    def negative_log(p):
        return -tf.reduce_mean(tf.math.log(tf.clip_by_value(p, _CLIP, 1.0 - _CLIP)))

    return Judgement(negative_log(probability), negative_log(1.0 - probability), tf.reduce_mean(probability))


def judge_logits(logits: tf.Tensor) -> Judgement:
    """A batch's Judgement from logits [n, 1] of p(y = 1 | x)."""
    return Judgement(tf.reduce_mean(tf.nn.softplus(-logits)), tf.reduce_mean(tf.nn.softplus(logits)),
                     tf.reduce_mean(tf.sigmoid(logits)))


def mutual_information(queries: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """Mean squared distance of generated images' queries and the keys they were made from, both [n, key_dim].

    Stands for the paper's I^ (eq. 6), which is a negative cosine; the code leaves the query unnormalised.
    """
    return tf.reduce_mean(tf.square(queries - keys))


class DiscriminatorCosts(NamedTuple):
    """Terms of the discriminator's cost, before their factors."""

    real: Judgement  # of real images
    fake: Judgement  # of generated images
    mutual_information: tf.Tensor

    def total(self, config: Config) -> tf.Tensor:
        if config.loss == "updown":
            adversarial = self.fake.probability - self.real.probability
        else:
            adversarial = self.real.as_real + self.fake.as_fake
        return adversarial + config.lamb * self.mutual_information


class GeneratorCosts(NamedTuple):
    """Terms of the generator's cost, before their factors."""

    fake: Judgement
    mutual_information: tf.Tensor

    def total(self, config: Config) -> tf.Tensor:
        adversarial = {
            "jsd": -self.fake.as_fake,
            "alternative": self.fake.as_real,
            "reverse_kl": self.fake.as_real - self.fake.as_fake,
            "updown": -self.fake.probability,
        }[config.loss]
        return adversarial + config.lamb * self.mutual_information


class Pass(NamedTuple):
    """The costs of one forward pass, and what a step on them has to change besides weights."""

    costs: DiscriminatorCosts | GeneratorCosts
    updates: dict[str, Update]  # of the memory: "real" before "fake", one building on the other
    discriminator_moments: tuple  # a dictionary for each of its two batches, in the order of the updates
    generator_moments: dict  # {batch norm's name: statistics of the batch}


def generator_input(config: Config, state: MemoryState | None, latent: tf.Tensor, slots) -> tf.Tensor:
    """Noise [n, z_dim] and the keys of `slots` int32 [n] side by side, or the noise alone."""
    if not config.samples_slots:
        return latent
    return tf.concat([latent, tf.gather(state.keys, slots)], axis=1)


def judge(config: Config, state: MemoryState | None, values: tf.Tensor, label: float
          ) -> tuple[Judgement, Update | None]:
    """A discriminator's output for images of one kind, judged, and what the memory learns from it (a GAN has none).

    Replicas that share a batch each read and learn the queries of all, so that their memories stay equal.

    Args:
      values: queries [n, key_dim], or a plain GAN's logits [n, 1].
      label: 1 for real images, 0 for generated ones.
    """
    if not config.has_memory:
        return judge_logits(values), None
    queries = replicas.gather(values)
    reading, update = memory.read_and_update(
        state, queries, tf.fill(queries.shape[:1], tf.constant(label, queries.dtype)), config.choose_k,
        rule=config.memory_update, iterations=config.em_iterations)
    return judge_probabilities(replicas.share(reading.probability)), update


def _mutual_information(config, state, queries, slots):
    if not config.samples_slots:
        return tf.zeros([], queries.dtype)
    return mutual_information(queries, tf.gather(state.keys, slots))


def discriminator_pass(config: Config, networks: Networks, state: MemoryState | None, images, latent, slots,
                       learn: bool = True) -> Pass:
    """The discriminator's cost on one batch.

    Args:
      state: the memory; None for a plain GAN.
      images: real images [n, h, w, c] in the networks' range.
      latent: noise [n, z_dim] in [-1, 1].
      slots: int32 [n], where the generator's keys come from; read only if the generator is given keys.
      learn: the generated images meet the memory as the real ones leave it. False, for the golden check: both meet
        `state`.
    """
    fake = networks.generator(generator_input(config, state, latent, slots), training=True)
    on_real = networks.discriminator(images, training=True)
    on_fake = networks.discriminator(tf.stop_gradient(fake.values), training=True)
    real_judgement, real_update = judge(config, state, on_real.values, 1.0)
    after_real = real_update.state if real_update and learn else state
    fake_judgement, fake_update = judge(config, after_real, on_fake.values, 0.0)
    costs = DiscriminatorCosts(real_judgement, fake_judgement,
                               _mutual_information(config, state, on_fake.values, slots))
    updates = {"real": real_update, "fake": fake_update} if config.has_memory else {}
    return Pass(costs, updates, (on_real.moments, on_fake.moments), fake.moments)


def generator_pass(config: Config, networks: Networks, state: MemoryState | None, images, latent, slots) -> Pass:
    """The generator's cost, arguments as in `discriminator_pass`. Real images only pass for their batch statistics."""
    fake = networks.generator(generator_input(config, state, latent, slots), training=True)
    on_fake = networks.discriminator(fake.values, training=True)
    on_real = networks.discriminator(images, training=True)
    judgement, update = judge(config, state, on_fake.values, 0.0)
    costs = GeneratorCosts(judgement, _mutual_information(config, state, on_fake.values, slots))
    return Pass(costs, {"fake": update} if config.has_memory else {}, (on_real.moments, on_fake.moments), fake.moments)
