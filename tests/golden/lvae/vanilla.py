"""Topic `vanilla`: two training steps of the batch VAE, with one kind of latent variable."""

import tensorflow as tf

from lvae import checkpoint, lifelong, losses, step
from lvae.config import Architecture
from lvae.networks import Networks, build_vae
from lvae.posterior import LatentNoise
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS


def compare(document, name):
    case = document["cases"][name]
    given = case["config"]
    sizes, shape = tuple(given["sizes"]), case["first_step"]["x"]["shape"]
    # Any other value of the original's reconstr_loss_type is the squared error.
    squared = given.get("rl", "binary_cross_entropy") != "binary_cross_entropy"
    config = common.config(
        Architecture("dense", (1, 1, shape[1]), "squared_error" if squared else "bernoulli", sizes, sizes),
        sequential=False, latent_size=given["L"], learning_rate=given["lr"], reparam_type=given["reparam"],
        batch_size=given["B"], use_bn=given.get("use_bn", False), use_ln=given.get("use_ln", False))
    latents = lifelong.vanilla_latents(config)
    vae = build_vae(config, latents)
    optimizer = step.build_optimizer(config, vae.trainable_variables)
    model = checkpoint.tf1_model(config, lifelong.Lineage(latents), vae, optimizer)
    common.inject(model.weights(), records.weights(document["prefix"], case["variables"]))
    lineage, networks = lifelong.Lineage(latents), Networks(vae, None)
    steps = step.make_steps(config, 0, lineage, networks, optimizer, step.start_clock())
    path = ("cases", name)
    yield Comparison(name, (*path, "model_name"), model.prefix, records.EXACT)
    listed = [[variable, list(size)] for variable, size in _short(model, model.shapes()).items()]
    yield Comparison(name, (*path, "all_variables"), listed, records.EXACT)
    for number, part in enumerate(("first_step", "second_step")):
        yield from _step(name, number, (*path, part), case[part], config, lineage, networks, model, steps)


def _short(model, named: dict) -> dict:
    return common.shortened(named, model.prefix, "V")


def _step(name, number, path, event, config, lineage, networks, model, steps):
    key, latents = f"{name}/train{number}", lineage.first
    arrays, images = common.noise(event["noise"]), tf.constant(common.draw(event["x"]))
    rows = images.shape[0]
    noise = lifelong.Noise(LatentNoise(tf.constant(arrays.get("gauss", tf.zeros([rows, latents.continuous]))),
                                       tf.constant(arrays.get("gumbel_u", tf.zeros([rows, latents.classes])))),
                           tf.zeros([rows], tf.int32))
    if "gradients" in event:
        # Before the step, and only where no moving statistics would take note of it.
        with tf.GradientTape() as tape:
            total = lifelong.student_costs(config, networks, lineage, images, noise, event["tau"],
                                           training=True).costs.total(config)
        gradients = _short(model, common.gradients(tape, total, model.weights()))
        yield from common.tensors(f"{name} gradients", (*path, "gradients"), event["gradients"], gradients,
                                  records.GRADIENTS, f"{key}/grad")
    outcome, _, _ = steps.train(images, noise, event["tau"])
    costs = outcome.costs
    ours = {"z": outcome.student.latent.z, "latent_kl": costs.latent_kl, "reconstr_loss": -costs.log_likelihood,
            "cost": costs.rows(config), "p_mean": losses.likelihood(config).mean(outcome.student.output)}
    yield from common.tensors(f"{name} outputs", (*path, "records"), event.get("records", {}), ours,
                              records.OUTPUTS, key)
    for quantity, rows in (("cost", ours["cost"]), ("reconstr_loss_mean", ours["reconstr_loss"]),
                           ("latent_kl_mean", ours["latent_kl"])):
        yield Comparison(f"{name} costs", (*path, quantity), tf.reduce_mean(rows), records.OUTPUTS)
    yield from common.tensors(f"{name} weights", (*path, "after_step"), event["after_step"],
                              _short(model, model.weights()), records.GRADIENTS, key)
