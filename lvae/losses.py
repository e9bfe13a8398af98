"""Costs of the Lifelong VAE: the ELBO's terms, the consistency of student and teacher, and information terms.

Pure functions of networks' outputs, images and noise: nothing random is drawn here. Every term keeps one value per
image, [n], so that a batch of current and replayed images can be looked at row by row.
"""

import math
from typing import Callable, NamedTuple

import tensorflow as tf

from lib.run import replicas
from lvae import posterior as q
from lvae.config import Config
from lvae.networks import Vae
from lvae.posterior import Latent, LatentNoise, Posterior


class Likelihood(NamedTuple):
    """p(x | z), from a decoder's output [n, ...]."""

    log_likelihood: Callable  # (images, output) -> [n], summed over pixels and channels
    mean: Callable  # output -> images


class Pass(NamedTuple):
    """What one VAE makes of a batch."""

    posterior: Posterior
    latent: Latent
    output: tf.Tensor  # the decoder's, before the likelihood's link function


class Costs(NamedTuple):
    """Terms of a VAE's cost before their factors, one value per image."""

    log_likelihood: tf.Tensor  # ln p(x | z), the reconstruction; negative numbers
    kl_normal: tf.Tensor  # KL(q(z_c | x) || N(0, I))
    kl_discrete: tf.Tensor  # KL(q(z_d | x) || uniform)
    consistency: tf.Tensor  # KL(student || teacher) of the class posteriors, zero on current images
    teacher_likelihood: tf.Tensor  # - ln p(teacher's reconstruction | z), zero on current images
    information: tf.Tensor  # what reconstructions reveal about z, weighted and clamped
    mutual_information: tf.Tensor  # scalar, the TF1 code's term

    @property
    def latent_kl(self) -> tf.Tensor:
        return self.kl_normal + self.kl_discrete

    @property
    def elbo(self) -> tf.Tensor:
        """The negative ELBO [n]; the original's reports call it `elbo` all the same."""
        return self.latent_kl - self.log_likelihood

    def rows(self, config: Config) -> tf.Tensor:
        """The cost of every image [n]: the terms with their factors."""
        return (config.kl_reg * self.latent_kl - self.log_likelihood
                + config.consistency_gamma * self.consistency + config.likelihood_gamma * self.teacher_likelihood
                - self.information - config.mutual_info_reg * self.mutual_information)

    def total(self, config: Config) -> tf.Tensor:
        """What is descended: the mean cost of an image."""
        return tf.reduce_mean(self.rows(config))


def _over_pixels(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def _scale_and_location(output: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    raw, location = tf.split(output, 2, axis=-1)
    return 1e-6 + tf.nn.softplus(raw), location


def bernoulli_log_likelihood(images: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """ln p [n] of images in [0, 1] from logits of their shape."""
    return -_over_pixels(tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=output))


def normal_log_likelihood(images: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """Density [n] of the normal distribution, from scale and location side by side in the last axis."""
    scale, location = _scale_and_location(output)
    standardised = (images - location) / scale
    return _over_pixels(-0.5 * tf.square(standardised) - 0.5 * math.log(2.0 * math.pi) - tf.math.log(scale))


def logistic_log_likelihood(images: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """Density [n] of the logistic distribution, from scale and location side by side in the last axis.

    The location is not squashed into the images' range.
    """
    scale, location = _scale_and_location(output)
    standardised = (images - location) / scale
    return _over_pixels(-standardised - 2.0 * tf.nn.softplus(-standardised) - tf.math.log(scale))


def squared_error_log_likelihood(images: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """- sum of squares [n], against the raw output: the original's vanilla class has it beside the cross-entropy."""
    return -_over_pixels(tf.square(images - output))


def _location(output: tf.Tensor) -> tf.Tensor:
    return _scale_and_location(output)[1]


LIKELIHOODS = {
    "bernoulli": Likelihood(bernoulli_log_likelihood, tf.nn.sigmoid),
    "logistic": Likelihood(logistic_log_likelihood, _location),
    # No script of the original chooses one of these two; the golden check compares them.
    "normal": Likelihood(normal_log_likelihood, _location),
    # Its classes draw the sigmoid of the output here, too.
    "squared_error": Likelihood(squared_error_log_likelihood, tf.nn.sigmoid),
}


def likelihood(config: Config) -> Likelihood:
    """p(x | z) of the run's experiment."""
    return LIKELIHOODS[config.architecture.likelihood]


def encode(config: Config, vae: Vae, images: tf.Tensor, *, training: bool = False) -> Posterior:
    """q(z | images)."""
    outputs = vae.encoder(images, training=training)
    parameterise = q.softplus_posterior if config.formulas == "tf1" else q.log_variance_posterior
    return parameterise(outputs, vae.latents)


def sample(config: Config, posterior: Posterior, noise: LatentNoise, temperature) -> Latent:
    """z of every image [n]; the class is relaxed at `temperature`."""
    classes = q.sample_classes if config.formulas == "tf1" else q.sample_classes_guarded
    return Latent(q.sample_gaussian(posterior, noise.normal),
                  classes(posterior.logits, noise.uniform, temperature))


def reconstruct(config: Config, vae: Vae, images: tf.Tensor, noise: LatentNoise, temperature, *,
                training: bool = False) -> Pass:
    """Encode, sample and decode images [n, ...]."""
    posterior = encode(config, vae, images, training=training)
    latent = sample(config, posterior, noise, temperature)
    return Pass(posterior, latent, vae.decoder(latent.z, training=training))


def elbo_terms(config: Config, images: tf.Tensor, seen: Pass) -> Costs:
    """The ELBO's terms of images [n, ...]; all others are zero."""
    log_likelihood = likelihood(config).log_likelihood(images, seen.output)
    nothing = tf.zeros_like(log_likelihood)
    return Costs(log_likelihood, q.kl_to_standard_normal(seen.posterior), q.kl_to_uniform(seen.posterior.logits),
                 consistency=nothing, teacher_likelihood=nothing, information=nothing,
                 mutual_information=tf.zeros([], log_likelihood.dtype))


def _pad(values: tf.Tensor, classes: int) -> tf.Tensor:
    return tf.pad(values, [[0, 0], [0, classes - values.shape[1]]])


def padded_probabilities(logits: tf.Tensor, classes: int) -> tf.Tensor:
    """softmax(logits) with zeros for the classes it does not know, [n, classes]."""
    return _pad(tf.nn.softmax(logits), classes)


def consistency(config: Config, student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """KL(student || teacher) of class posteriors from logits [n, K] and [n, K'], [n].

    A class that the teacher does not know has probability 1e-6 / (1 + ...) in TF1, which punishes its use. The
    PyTorch version gives it the log-probability zero, which does not; the term can then be negative.
    """
    classes = max(student.shape[1], teacher.shape[1])
    if config.formulas == "pytorch":
        # Where the student knows fewer classes, its probability there is zero and so is the product.
        log_ratio = _pad(tf.nn.log_softmax(student), classes) - _pad(tf.nn.log_softmax(teacher), classes)
        return tf.reduce_sum(padded_probabilities(student, classes) * log_ratio, axis=1)
    ours, theirs = (_smoothed(padded_probabilities(logits, classes)) for logits in (student, teacher))
    return tf.reduce_sum(ours * tf.math.log(ours / theirs), axis=1)


def _smoothed(probabilities: tf.Tensor) -> tf.Tensor:
    raised = probabilities + 1e-6
    return raised / tf.reduce_sum(raised, axis=1, keepdims=True)


def gaussian_consistency(student: Posterior, teacher: Posterior) -> tf.Tensor:
    """KL(student || teacher) of the continuous posteriors, [n]; the PyTorch version's term without classes."""
    return q.gaussian_kl(student.mean, student.divergence_scale, teacher.mean, teacher.divergence_scale)


def tf1_mutual_information(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """TF1's regulariser: cross-entropy of class posteriors against classes int32 [n] drawn without looking at them.

    Its weight is subtracted from the cost, so it rewards peaked posteriors; it is no mutual information of data and
    latent variable. Every forked model of the original has weight zero.
    """
    if logits.shape[1] == 0:
        return tf.zeros([], logits.dtype)
    drawn = tf.one_hot(classes, logits.shape[1], dtype=logits.dtype)
    cross_entropy = -tf.reduce_sum(tf.math.log(tf.nn.softmax(logits) + 1e-9) * drawn, axis=1)
    entropy = -tf.reduce_sum(tf.math.log(drawn + 1e-9) * drawn, axis=1)
    return tf.reduce_mean(cross_entropy) + tf.reduce_mean(entropy)


def discrete_information(soft_classes: tf.Tensor, reconstructed: tf.Tensor) -> tf.Tensor:
    """How well the reconstructions' class logits [n, K] give away the sampled classes [n, K], up to a constant, [n].

    The constant is the entropy of softmax(one-hot) summed over the whole batch, added to every row. A one-hot whose
    straight-through rounding left 0.99999994 counts as class 0, as in the PyTorch version.
    """
    hard = q.harden(soft_classes)
    classes = tf.argmax(tf.cast(hard, tf.int32), axis=1)
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=reconstructed)
    entropy = -replicas.total(tf.reduce_sum(tf.nn.softmax(hard) * tf.nn.log_softmax(hard)))
    return -entropy - cross_entropy


def continuous_information(original: Posterior, reconstructed: Posterior) -> tf.Tensor:
    """KL(q(z_c | x^) || q(z_c | x)), [n]: what the reconstruction x^ reveals about z_c."""
    return q.gaussian_kl(reconstructed.mean, reconstructed.divergence_scale, original.mean, original.divergence_scale)


class InformationNoise(NamedTuple):
    """What the Monte-Carlo information terms draw; the analytic ones need none of it."""

    classes: tf.Tensor  # int32 [n]
    normal: tf.Tensor  # N(0, 1) [n, continuous], for a sample of the reconstruction's posterior
    prior: tf.Tensor  # N(0, 1) [n, continuous]


def monte_carlo_discrete_information(reconstructed: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """[n]; takes raw logits where a log-probability is meant, as the PyTorch version does."""
    drawn = tf.one_hot(classes, reconstructed.shape[1], dtype=reconstructed.dtype)
    return -tf.reduce_sum((reconstructed + 1e-9) * drawn + tf.math.log(drawn + 1e-9) * drawn, axis=1)


def monte_carlo_continuous_information(reconstructed: Posterior, noise: InformationNoise) -> tf.Tensor:
    """[n]; no estimate of `continuous_information` but a quantity of its own."""
    drawn = q.sample_gaussian(reconstructed, noise.normal)
    logs = tf.math.log(tf.abs(drawn) + 1e-9) + tf.math.log(tf.abs(noise.prior) + 1e-9)
    return -tf.reduce_sum(logs * noise.prior, axis=1)


def information(config: Config, original: Pass, reconstructed: Posterior, noise: InformationNoise) -> tf.Tensor:
    """discrete_mut_info * I_d - continuous_mut_info * I_c, [n], before the clamp.

    The cost subtracts it: a positive weight of the continuous part penalises what the reconstruction reveals about
    z_c (the blog's information-restricting regulariser).
    """
    if config.monte_carlo_infogain:
        discrete = monte_carlo_discrete_information(reconstructed.logits, noise.classes)
        continuous = monte_carlo_continuous_information(reconstructed, noise)
    else:
        discrete = discrete_information(original.latent.discrete, reconstructed.logits)
        continuous = continuous_information(original.posterior, reconstructed)
    return config.discrete_mut_info * discrete - config.continuous_mut_info * continuous


def clamp(config: Config, values: tf.Tensor) -> tf.Tensor:
    """Bounded information terms [n]: cut at +-value, divided by their norm over the batch, or as they are."""
    if config.mut_clamp_strategy == "clamp":
        return tf.clip_by_value(values, -config.mut_clamp_value, config.mut_clamp_value)
    if config.mut_clamp_strategy == "norm":
        return values / tf.sqrt(replicas.total(tf.reduce_sum(values * values)))
    return values


def bits_per_dimension(config: Config, elbo: float) -> float:
    """A negative ELBO in nats per image, in bits per pixel and channel."""
    return elbo / (math.log(2.0) * math.prod(config.architecture.image_shape))
