"""Remembering old classes: replay alignment (RA) and joint training with replay (JTR).

The noise of a replay is [old classes, samples, 128]; class i of it is generated with label i. All old classes pass
a generator in one call, each normalised by statistics of its own as if it were alone. How many there are may be known
only when a graph runs, so that one graph serves all tasks.
"""

from typing import NamedTuple

import tensorflow as tf

from lib.mergan.config import Config


class ReplayCosts(NamedTuple):
    """Joint replay's terms, one entry per old class [old classes]; the replayed images stand for real ones."""

    critic_wasserstein: tf.Tensor  # mean D(new) - mean D(replayed)
    critic_classification: tf.Tensor  # cross-entropy of replayed images
    generator_wasserstein: tf.Tensor  # - mean D(new)
    generator_classification: tf.Tensor  # cross-entropy of new images

    def critic_total(self, config: Config) -> tf.Tensor:
        """JTR's term of the critic's cost, a scalar."""
        return _over_classes(self.critic_wasserstein + self.critic_classification, config.data.joint_replay_mean)

    def generator_total(self, config: Config) -> tf.Tensor:
        """JTR's term of the generator's cost, a scalar."""
        return _over_classes(self.generator_wasserstein + self.generator_classification,
                             config.data.joint_replay_mean)


def _over_classes(costs: tf.Tensor, mean: bool) -> tf.Tensor:
    return tf.reduce_mean(costs) if mean else tf.reduce_sum(costs)


def replay_labels(noise: tf.Tensor) -> tf.Tensor:
    """int32 [old classes * samples]: 0, 0, ..., 1, 1, ..."""
    classes, samples, _ = tf.unstack(tf.shape(noise))
    return tf.repeat(tf.range(classes), samples)


def generate_classes(generator, noise: tf.Tensor) -> tf.Tensor:
    """Images [old classes * samples, h, w, c] of noise [old classes, samples, 128], each class a batch of its own."""
    return generator(tf.reshape(noise, [-1, noise.shape[-1]]), replay_labels(noise), groups=tf.shape(noise)[0])


def alignment_distances(generator, replay, noise: tf.Tensor) -> tf.Tensor:
    """Half the summed squared distance between both generators' images of the same noise, per class [old classes]."""
    remembered = tf.stop_gradient(generate_classes(replay, noise))
    difference = generate_classes(generator, noise) - remembered
    return 0.5 * tf.reduce_sum(tf.reshape(tf.square(difference), [tf.shape(noise)[0], -1]), axis=1)


def alignment_cost(config: Config, distances: tf.Tensor) -> tf.Tensor:
    """RA's term of the generator's cost (the paper's eq. 13), from the distances per class.

    The code sums over samples and pixels where the paper writes an expectation, and divides by the number of old
    classes on the 32x32 sets only.
    """
    return config.alignment_factor * _over_classes(distances, config.data.alignment_mean)


def joint_replay_costs(generator, replay, critic, noise: tf.Tensor) -> ReplayCosts:
    """JTR's terms (the paper's eqs. 11 and 12) on noise [old classes, samples, 128]; no gradient penalty."""
    labels = replay_labels(noise)
    remembered = critic(tf.stop_gradient(generate_classes(replay, noise)))
    new = critic(generate_classes(generator, noise))

    def per_class(values):
        return tf.reduce_mean(tf.reshape(values, tf.shape(noise)[:2]), axis=1)

    def classification(logits):
        return per_class(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))

    return ReplayCosts(
        critic_wasserstein=per_class(new.score) - per_class(remembered.score),
        critic_classification=classification(remembered.logits),
        generator_wasserstein=-per_class(new.score),
        generator_classification=classification(new.logits),
    )
