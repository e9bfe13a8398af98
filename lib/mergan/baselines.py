"""What the paper compares MeRGAN with: elastic weight consolidation (EWC) and deep generative replay (DGR)."""

import tensorflow as tf

from lib import losses
from lib.mergan.config import Config
from lib.mergan.losses import generator_costs

# EWC. The paper gives the penalty (its eq. 9) and its weight of 1e9, not how the Fisher information is estimated. Here
# the critic stands for the likelihood, as in Seff et al. 2017 (Continual Learning in GANs). The estimate is made right
# after a class is learned and stands until the next one is, as in the code of a paper that three of the authors share
# (Liu et al. 2018, Rotate your Networks); those of all classes may add up instead. The estimate has two readings:
#
# - "samples": squared gradients of the critic's score of single images, as continual-learning code of the time has it,
#   and a penalty that is averaged over the elements of each tensor. Under 1e9 it weighs a weight of the first layers
#   about as much as the costs do, one of the last layer or of an old class's rows thousands of times more.
# - "batches": squared gradients of the generator's cost on whole batches, which are 12 to 66 times smaller, and the
#   penalty's sum. Adam's first step moves all weights by its rate: under 1e9 the penalty is then 234 beside costs of
#   about 5, so every weight that an old class uses stays within a step of its anchor. 2e5 lets a new class be learned.


def fisher_estimate(config: Config, generator, critic, labels, noise, index) -> list[tf.Tensor]:
    """Squared gradient of one image's score, or of a batch's cost; one tensor per trainable variable.

    Args:
      labels: int32 [n], asked of the generator.
      noise: latent vectors [n, 128].
      index: which image it is; the others of the batch are there for batch norm's statistics.
    """
    variables = generator.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        if config.fisher == "samples":
            cost = critic(generator(noise, labels)).score[index]
        else:
            cost = generator_costs(generator, critic, labels, noise).total(config)
    return [tf.square(tf.convert_to_tensor(gradient)) for gradient in tape.gradient(cost, variables)]


def consolidation_cost(config: Config, generator, anchor, fisher) -> tf.Tensor:
    """lambda / 2 sum_i F_i (theta_i - anchor_i)^2 over the generator's trainable variables (the paper's eq. 9).

    Args:
      anchor: the generator as it was when the last class was learned.
      fisher: diagonal Fisher information, one tensor per trainable variable.
    """
    weights = [variable.value for variable in generator.trainable_variables]
    anchors = [tf.stop_gradient(variable.value) for variable in anchor.trainable_variables]
    if config.fisher == "samples":
        fisher = [values / values.shape.num_elements() for values in fisher]
    return config.consolidation_factor * losses.quadratic_penalty(weights, anchors, fisher)


# DGR (Shin et al. 2017): an unconditional GAN learns the new class mixed with its predecessor's images, in proportion
# to the number of classes; a solver learns to classify the mixture, its predecessor labelling the replayed part.


def new_samples(config: Config, task: int) -> int:
    """Real images of the new class in a batch: its share among all classes so far."""
    return max(1, round(config.batch_size / (task + 1)))


def mix_with_replay(replay, images, noise) -> tf.Tensor:
    """Real images in front, the previous generator's images of noise [n, 128] in place of the last n."""
    if noise.shape[0] == 0:
        return images
    count = tf.shape(noise)[0]
    remembered = tf.stop_gradient(replay(noise, tf.zeros([count], tf.int32)))
    return tf.ensure_shape(tf.concat([images[:images.shape[0] - count], remembered], axis=0), images.shape)


def mixed_labels(replay_solver, mixture, noise, task) -> tf.Tensor:
    """int32 [n]: the new class for real images, the previous solver's opinion for those made of noise [r, 128]."""
    if noise.shape[0] == 0:
        return tf.fill(mixture.shape[:1], task)
    new = mixture.shape[0] - tf.shape(noise)[0]
    opinions = tf.argmax(replay_solver(mixture[new:]).logits[:, :task], axis=-1, output_type=tf.int32)
    return tf.concat([tf.fill([new], task), opinions], axis=0)


def solver_cost(solver, images, labels) -> tf.Tensor:
    """Mean cross-entropy of a solver's logits on images [n, h, w, c] with labels int32 [n]."""
    return losses.cross_entropy(solver(images).logits, labels)
