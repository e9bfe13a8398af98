"""Teacher and student: batches of current and replayed images, and the student's costs.

Only one student and one teacher exist at any time, however many distributions have been learned.
"""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from lib.run import replicas
from lvae import losses
from lvae import posterior as q
from lvae.config import Config
from lvae.losses import Costs, InformationNoise, Pass
from lvae.networks import Latents, Networks, Vae
from lvae.posterior import LatentNoise, Posterior


class Lineage(NamedTuple):
    """Where a run stands: what the sizes of the next student and of its batches follow from."""

    first: Latents  # latent variable of the first model
    forks: int = 0
    new_classes: int = 0  # classes added by all forks: the T of the batch shares

    @property
    def latents(self) -> Latents:
        return self.first._replace(classes=self.first.classes + self.new_classes)

    def forked(self, new_classes: int) -> "Lineage":
        """Of the next student."""
        return Lineage(self.first, self.forks + 1, self.new_classes + new_classes)


def vanilla_latents(config: Config) -> Latents:
    """Of the VAE that is not lifelong: continuous or discrete, not both."""
    size = config.latent_size
    return Latents(size, 0) if config.reparam_type == "continuous" else Latents(0, size)


class ReplayNoise(NamedTuple):
    """Latent variables that the teacher decodes."""

    normal: tf.Tensor  # N(0, 1), [batch, continuous]
    classes: tf.Tensor  # int32 [batch], uniform over the teacher's classes


class Noise(NamedTuple):
    """What one call of `student_costs` draws."""

    latent: LatentNoise
    classes: tf.Tensor  # int32 [batch], uniform over the student's classes: TF1's regulariser
    replay: ReplayNoise | None = None
    teacher_uniform: tf.Tensor | None = None  # U[0, 1), [replayed, teacher's classes]; only likelihood_gamma needs it
    information: InformationNoise | None = None  # only monte_carlo_infogain needs it


class Outcome(NamedTuple):
    """A student's costs on a batch, and what they were made of."""

    costs: Costs
    images: tf.Tensor  # the mixed batch: current images, then replayed ones
    student: Pass
    replayed: tf.Tensor | None = None  # all images the teacher made
    teacher: Posterior | None = None  # the teacher's posterior of the replayed images that were used

    @property
    def consistency_accuracy(self) -> tf.Tensor:
        """Share of replayed images whose most probable class is the same for student and teacher."""
        rows = self.teacher.logits.shape[0]
        return agreement(self.student.posterior.logits[-rows:], self.teacher.logits)


def shares(config: Config, lineage: Lineage, batch: int) -> tuple[int, int]:
    """(current, replayed) rows of a batch.

    TF1 gives every class that was ever added the same share, PyTorch every fork. TF1 multiplies by the rounded
    reciprocal: for some sizes that is one row less than batch // (T + 1).
    """
    if config.formulas == "pytorch":
        replayed = int(batch * (lineage.forks / (lineage.forks + 1)))
        return max(batch - replayed, 1), replayed
    current = int((1.0 / (lineage.new_classes + 1.0)) * batch)
    return current, batch - current


def share(config: Config, networks: Networks, lineage: Lineage, images: tf.Tensor, noise: Noise
          ) -> tuple[tf.Tensor, Noise, tuple[int, int]]:
    """This replica's part of a batch: (current images, noise, numbers of current and of replayed rows).

    The rows of the mixed batch are dealt to the replicas in turn, so that each has its part of both kinds.
    """
    current, replayed = shares(config, lineage, images.shape[0]) if networks.teacher else (images.shape[0], 0)

    def part(whole, dealt=0):
        return tf.nest.map_structure(lambda rows: None if rows is None else replicas.deal(rows, dealt), whole)

    own = Noise(part(noise.latent), part(noise.classes), part(noise.replay, current),
                part(noise.teacher_uniform, current), part(noise.information))
    rows = len(replicas.deal(range(current))), len(replicas.deal(range(replayed), current))
    return part(images[:current]), own, rows


def prior_sample(latents: Latents, noise: ReplayNoise, scale: float = 1.0) -> tf.Tensor:
    """z [n, size] with N(0, scale^2) continuous dimensions and a uniformly drawn class."""
    one_hot = tf.one_hot(noise.classes, latents.classes, dtype=noise.normal.dtype)
    return tf.concat([scale * noise.normal, one_hot], axis=1)


def generate(config: Config, vae: Vae, noise: ReplayNoise, *, training: bool = False) -> tf.Tensor:
    """Images [n, ...] that a VAE makes of latent variables from the prior: means, not samples of p(x | z)."""
    z = prior_sample(vae.latents, noise, config.generative_scale_var)
    return losses.likelihood(config).mean(vae.decoder(z, training=training))


def agreement(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Share of rows whose most probable class agrees, from logits [n, K] and [n, K']."""
    hits = tf.equal(tf.argmax(student, axis=1), tf.argmax(teacher, axis=1))
    return tf.reduce_mean(tf.cast(hits, student.dtype))


def _teacher_likelihood(config: Config, teacher: Vae, student_output, posterior: Posterior, uniform) -> tf.Tensor:
    """- ln p of the teacher's reconstructions (mean of z_c, hard sample of z_d at temperature 1) under the student."""
    classes = q.harden(q.sample_classes_guarded(posterior.logits, uniform, 1.0))
    output = teacher.decoder(tf.concat([posterior.mean, classes], axis=1))
    target = losses.likelihood(config).mean(output)
    return -losses.likelihood(config).log_likelihood(target, student_output)


def student_costs(config: Config, networks: Networks, lineage: Lineage, images: tf.Tensor, noise: Noise, temperature,
                  *, training: bool = False) -> Outcome:
    """The student's costs on a batch of current images, mixed with the teacher's where there is one.

    Replicas that share the batch have the costs of their own rows.

    Args:
      images: [batch, ...] in [0, 1]; with a teacher only the first rows are used.
      temperature: of the Gumbel-softmax.
      training: batch norm uses, and moves towards, the statistics of the batch.
    """
    student, teacher = networks
    images, noise, (current, replayed) = share(config, networks, lineage, images, noise)
    made = posterior = None
    if replayed:
        # TF1 runs the teacher with the student's training flag: its batch norms see batch statistics and drift.
        teaches = training and config.formulas == "tf1"
        made = tf.stop_gradient(generate(config, teacher, noise.replay, training=teaches))
        posterior = losses.encode(config, teacher, made, training=teaches)
        posterior = Posterior(*(tf.stop_gradient(part)[:replayed] for part in posterior))
        images = tf.concat([images, made[:replayed]], axis=0)
    seen = losses.reconstruct(config, student, images, noise.latent, temperature, training=training)
    costs = losses.elbo_terms(config, images, seen)._replace(
        mutual_information=losses.tf1_mutual_information(seen.posterior.logits, noise.classes))
    if replayed:
        rows = tf.nest.map_structure(lambda part: part[current:], seen)
        costs = costs._replace(consistency=_behind(current, _consistency(config, rows.posterior, posterior)))
        if config.likelihood_gamma:
            costs = costs._replace(teacher_likelihood=_behind(current, _teacher_likelihood(
                config, teacher, rows.output, posterior, noise.teacher_uniform)))
    if config.informs:
        reconstruction = losses.likelihood(config).mean(seen.output)
        second = losses.encode(config, student, reconstruction, training=training)
        costs = costs._replace(information=losses.clamp(config, losses.information(
            config, seen, second, noise.information)))
    return Outcome(costs, images, seen, made, posterior)


def _behind(current: int, values: tf.Tensor) -> tf.Tensor:
    """Values of the replayed rows behind zeros for the current ones."""
    return tf.concat([tf.zeros([current], values.dtype), values], axis=0)


def _consistency(config: Config, student: Posterior, teacher: Posterior) -> tf.Tensor:
    if teacher.logits.shape[1] == 0:
        return losses.gaussian_consistency(student, teacher)
    return losses.consistency(config, student.logits, teacher.logits)


def evaluation_costs(config: Config, networks: Networks, lineage: Lineage, images: tf.Tensor, noise: Noise,
                     temperature) -> Outcome:
    """The student's costs on test images, batch norm with its moving statistics.

    The original mixes the teacher's samples into test batches, too, so that most of what it reports is the ELBO of
    generated images; --tf1_exact does the same.
    """
    networks = networks if config.tf1_exact else networks._replace(teacher=None)
    return student_costs(config, networks, lineage, images, noise, temperature)


def forked_config(config: Config, lineage: Lineage) -> Config:
    """Settings of a run's model, which are the run's own unless --tf1_exact brings back the original's fork.

    That gives both bodies the encoder's hidden layers and loses mutual_info_reg, in every model but the first.
    """
    if not (config.tf1_exact and lineage.forks):
        return config
    shape = config.architecture
    return dataclasses.replace(config, mutual_info_reg=0.0,
                               architecture=dataclasses.replace(shape, decoder_sizes=shape.encoder_sizes))
