"""Topics `replay_alignment`, `joint_replay` and `replay_float64`: RA's and JTR's terms, and gradients."""

import functools

import numpy as np
import tensorflow as tf

from lib import losses as terms
from lib.mergan import losses, replay
from lib.mergan.networks import tf1_names
from tests.golden import records
from tests.golden.mergan import common
from tests.golden.records import Comparison

TOPICS = ("replay_alignment", "joint_replay")


def compare(case):
    (scalars, gradients), (_, exact) = case.in_both_precisions(_run)
    config = _config(case)
    samples = config.replay_samples(case.settings["class_count"])
    yield from case.scalars(scalars | {"num_samples": samples})
    for cost, values in gradients.items():
        yield from case.gradients(cost, values, exact[cost])
    for name, ours in (("samples_per_old_class", samples), ("reduce_batch", config.data.shared_replay)):
        if name in case.document["cases"][case.name]:
            yield Comparison(f"{case.name} settings", ("cases", case.name, name), ours, records.EXACT)


def _config(case):
    return case.config(alignment_factor=case.settings["RA_factor"]) if _aligns(case) else case.config()


def _aligns(case) -> bool:
    return "RA_factor" in case.settings


def _run(case) -> tuple:
    """Numbers, and gradients by cost, under the names the files have for them."""
    config, kind = _config(case), "ra" if _aligns(case) else "jtr"
    noise = np.stack([case.input(f"{kind}{label}") for label in range(case.settings["class_count"])])
    labels = np.full([config.batch_size], case.settings["label_of_current_batch"], np.int32)
    scalars, gradients = case.run(
        functools.partial(_recompute, config, case.networks(), _aligns(case)),
        case.images(), labels, case.input("fake"), case.input("alpha"), noise)
    return scalars, {f"grad_{cost}": {f"grad_{cost}/{name}": value for name, value in values.items()}
                     for cost, values in gradients.items()}


def _recompute(config, networks, aligns: bool, images, labels, latent, alpha, noise):
    generator, critic = networks.generator, networks.critic
    of_critic = common.trained(tf1_names(critic, "Discriminator"))
    of_generator = common.trained(tf1_names(generator, "New.Generator"))
    # Of the old generator, which nothing trains, the tape would keep gigabytes.
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch([*of_critic.values(), *of_generator.values()])
        critic_cost = losses.critic_costs(generator, critic, images, labels, latent, alpha).total(config)
        generator_cost = losses.generator_costs(generator, critic, labels, latent).total(config)
        if aligns:
            scalars, critic_term, generator_term = _alignment(config, networks, noise)
            name = "RA_cost"
        else:
            scalars, critic_term, generator_term = _joint_replay(config, networks, noise)
            name = "JTR_gen_cost"
        critic_total, generator_total = critic_cost + critic_term, generator_cost + generator_term
    scalars |= {"disc_cost": critic_cost, "gen_cost": generator_cost, "disc_cost_all": critic_total,
                "gen_cost_all": generator_total}
    gradients = {name: common.gradients(tape, generator_term, of_generator),
                 "gen_cost_all": common.gradients(tape, generator_total, of_generator)}
    if not aligns:
        scalars |= _accuracies(networks, noise)
        gradients |= {"JTR_disc_cost": common.gradients(tape, critic_term, of_critic),
                      "disc_cost_all": common.gradients(tape, critic_total, of_critic)}
    return scalars, gradients


def _alignment(config, networks, noise):
    distances = replay.alignment_distances(networks.generator, networks.replay, noise)
    cost = replay.alignment_cost(config, distances)
    return {"RA_cost": cost, **_per_class("l2_loss_class", distances)}, 0.0, cost


def _joint_replay(config, networks, noise):
    generator, old, critic = networks.generator, networks.replay, networks.critic
    costs = replay.joint_replay_costs(generator, old, critic, noise)
    critic_term, generator_term = costs.critic_total(config), costs.generator_total(config)
    scalars = {"JTR_disc_cost": critic_term, "JTR_gen_cost": generator_term,
               **_per_class("wgan_disc_class", costs.critic_wasserstein),
               **_per_class("acgan_disc_class", costs.critic_classification),
               **_per_class("wgan_gen_class", costs.generator_wasserstein),
               **_per_class("acgan_gen_class", costs.generator_classification)}
    return scalars, critic_term, generator_term


def _accuracies(networks, noise) -> dict:
    """All classes have equally many samples, so the share of all is the mean of the classes' shares."""
    labels = replay.replay_labels(noise)
    return {name: terms.accuracy(networks.critic(replay.generate_classes(network, noise)).logits, labels)
            for name, network in (("JTR_old_acc", networks.replay), ("JTR_new_acc", networks.generator))}


def _per_class(name: str, values) -> dict:
    return {f"{name}{label}": value for label, value in enumerate(tf.unstack(values))}
