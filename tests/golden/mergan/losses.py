"""Topics `losses_<data set>` and `losses_float64`: every term of the basic costs, and gradients."""

import functools

import tensorflow as tf

from lib import losses as terms
from lib.mergan import losses
from lib.mergan.config import DATASETS
from lib.mergan.networks import tf1_names
from tests.golden.mergan import common

TOPICS = tuple(f"losses_{dataset}" for dataset in DATASETS)


def compare(case):
    (scalars, outputs, gradients), (_, _, exact) = case.in_both_precisions(_run)
    yield from case.scalars(scalars)
    yield from case.outputs(outputs)
    for cost, values in gradients.items():
        yield from case.gradients(cost, values, exact[cost])


def _run(case) -> tuple:
    """Numbers, tensors, and gradients by cost, under the names the files have for them."""
    scalars, outputs, gradients = case.run(
        functools.partial(_recompute, case.config(), case.networks()),
        case.images(), case.labels(), case.input("fake"), case.input("alpha"))
    outputs |= {name: common.to_rows(outputs[name]) for name in ("real_data", "fake_data", "interpolates")}
    slopes = outputs.pop("gradients_at_interpolates")
    gradients = {f"grad_{cost}": {f"grad_{cost}/{name}": value for name, value in values.items()}
                 for cost, values in gradients.items()}
    return scalars, outputs, gradients | {"slopes": {"gradients_at_interpolates": common.to_rows(slopes)}}


def _recompute(config, networks, images, labels, noise, alpha):
    generator, critic = networks.generator, networks.critic
    of_critic = common.trained(tf1_names(critic, "Discriminator"))
    of_generator = common.trained(tf1_names(generator, "New.Generator"))
    with tf.GradientTape(persistent=True) as tape:
        judging = losses.critic_costs(generator, critic, images, labels, noise, alpha)
        generating = losses.generator_costs(generator, critic, labels, noise)
        critic_total, generator_total = judging.total(config), generating.total(config)
    fake = generator(noise, labels)
    real_judged, fake_judged = critic(images), critic(fake)
    points = terms.interpolate(images, fake, alpha)
    slopes = _slopes(critic, points)
    scalars = {
        "mean_D_real": tf.reduce_mean(real_judged.score), "mean_D_fake": tf.reduce_mean(fake_judged.score),
        "disc_wgan_pure": judging.wasserstein, "gradient_penalty": judging.penalty,
        "disc_wgan": judging.wasserstein + config.penalty_factor * judging.penalty,
        "acgan_real": judging.classification, "acgan_real_acc": judging.real_accuracy,
        "acgan_fake": generating.classification, "acgan_fake_acc": judging.fake_accuracy,
        "disc_cost": critic_total, "gen_wgan": generating.wasserstein, "gen_cost": generator_total,
    }
    outputs = {
        "real_data": images, "fake_data": fake, "interpolates": points, "gradients_at_interpolates": slopes,
        "slopes": tf.norm(tf.reshape(slopes, [tf.shape(slopes)[0], -1]), axis=1),
        "disc_real": real_judged.score, "disc_real_acgan": real_judged.logits,
        "disc_fake": fake_judged.score, "disc_fake_acgan": fake_judged.logits,
    }
    gradients = {
        "disc_cost": common.gradients(tape, critic_total, of_critic),
        "gradient_penalty": common.gradients(tape, judging.penalty, of_critic),
        "gen_cost": common.gradients(tape, generator_total, of_generator),
    }
    return scalars, outputs, gradients


def _slopes(critic, points):
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(critic(points).score)
    return tape.gradient(total, points)
