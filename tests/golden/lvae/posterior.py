"""Topic `reparameterisation`: samples and KLs of the latent variables, their gradients, the temperature."""

import functools

import numpy as np
import tensorflow as tf

from lvae import posterior as q
from lvae.networks import Latents
from tests.golden import records
from tests.golden.lvae import common
from tests.golden.records import Comparison

SETTINGS = common.SETTINGS | {"schedule"}


def cases(document):
    recompute = {"gaussian": _gaussian, "gumbel": _gumbel, "mixed": _mixed}
    samples = {f"{group}/{name}": functools.partial(_samples, group, name, document[group][name], recompute[group])
               for group in recompute for name in document[group]}
    return samples | {"temperature": functools.partial(_temperatures, document)}


def _samples(group, name, case, recompute):
    noise = {label.rpartition("/")[2]: common.draw(entry) for label, entry in case["noise"].items()}
    ours = recompute(case, tf.constant(common.draw(case["input"])), noise)
    # The Gaussian cases' own names lack the group.
    key = name if name.startswith(group) else f"{group}_{name}"
    tolerances = {"grad_input": records.GRADIENTS}
    for record in case["records"]:
        yield from common.tensors(f"{group} {name}", (group, name, "records"), case["records"],
                                  {record: ours[record]}, tolerances.get(record, records.OUTPUTS), key)
    if "kl_values" in case:
        yield Comparison(f"{group} {name}", (group, name, "kl_values"), ours["kl"], records.OUTPUTS)


def _gradient(case, inputs, recompute):
    """z and KL of one kind of latent variable, and d(sum(z * coef) + sum(kl)) / d inputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        z, kl = recompute()
        total = tf.reduce_sum(z * common.draw(case["coef"])) + tf.reduce_sum(kl)
    return {"z": z, "kl": kl, "grad_input": tape.gradient(total, inputs)}


def _gaussian(case, inputs, noise):
    def recompute():
        posterior = q.softplus_posterior(inputs, Latents(case["L"], 0))
        return q.sample_gaussian(posterior, noise["gauss"]), q.kl_to_standard_normal(posterior)

    return _gradient(case, inputs, recompute)


def _gumbel(case, inputs, noise):
    return _gradient(case, inputs, lambda: (q.sample_classes(inputs, tf.constant(noise["gumbel_u"]), case["tau"]),
                                            q.kl_to_uniform(inputs)))


def _mixed(case, inputs, noise):
    posterior = q.softplus_posterior(inputs, Latents(case["L"], case["K"]))
    latent = q.Latent(q.sample_gaussian(posterior, noise["gauss"]),
                      q.sample_classes(posterior.logits, tf.constant(noise["gumbel_u"]), case["tau"]))
    return {"z": latent.z, "z_normal": latent.continuous, "z_discrete": latent.discrete,
            "pre_gumbel": tf.nn.softmax(posterior.logits), "kl_normal": q.kl_to_standard_normal(posterior),
            "kl_discrete": q.kl_to_uniform(posterior.logits)}


def _temperatures(document):
    listed = document["temperature"]["train_only"]
    by_call = _run([("train", listed[-1][0] + 1)])
    yield Comparison("temperature", ("temperature", "train_only"), [[call, by_call[call]] for call, _ in listed],
                     records.OUTPUTS)
    tested = document["temperature"]["with_tests"]
    yield Comparison("temperature", ("temperature", "with_tests", "tau_by_call"), _run(tested["schedule"]),
                     records.OUTPUTS)


def _run(schedule) -> list[float]:
    """The temperature of every call of a schedule of training and test calls."""

    @tf.function
    def train(state, count):
        used = tf.TensorArray(tf.float32, count)
        for call in tf.range(count):
            used = used.write(call, state.temperature)
            state = q.after_training_call(state)
        return used.stack(), state

    state, used = q.start_annealing(), []
    for kind, count in schedule:
        if kind == "train":
            values, state = train(state, tf.constant(count))
        else:
            values, state = np.full(count, state.temperature), q.after_test_calls(state, count)
        used += np.asarray(values).tolist()
    return used
