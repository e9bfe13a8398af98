"""Batches of current and replayed images, the fork, and how many models there are."""

import dataclasses
import gc

import numpy as np
import pytest
import tensorflow as tf

from lvae import checkpoint, fork, lifelong, step
from lvae.config import Architecture, Config
from lvae.lifelong import Lineage
from lvae.networks import Latents, Networks, model_name
from lvae.noise import draw_noise

CONFIG = Config("x", Architecture("dense", (5, 6, 1), "bernoulli", (16, 12), (16, 12)), latent_size=3, batch_size=10,
                sequential=True)


def _first(config=CONFIG):
    lineage = Lineage(Latents(config.latent_size, 1))
    student, optimizer = fork.build_student(config, lineage)
    return Networks(student, None), optimizer, lineage


def _images():
    return tf.constant(np.random.default_rng(0).uniform(size=(10, 30)).astype(np.float32))


def test_every_class_has_its_share():
    lineage = Lineage(Latents(3, 1), forks=4, new_classes=3)
    assert lifelong.shares(CONFIG, lineage, 100) == (25, 75)
    assert lifelong.shares(dataclasses.replace(CONFIG, formulas="pytorch"), lineage, 100) == (20, 80)


def test_batch_is_current_images_then_the_teachers():
    networks, optimizer, lineage = _first()
    networks, optimizer, lineage, _ = fork.fork(CONFIG, lineage, networks, optimizer, 1)
    noise = draw_noise(CONFIG, lineage, networks, 10, "test", 0)
    outcome = lifelong.student_costs(CONFIG, networks, lineage, _images(), noise, 1.0)
    np.testing.assert_array_equal(outcome.images[:5], _images()[:5])
    np.testing.assert_array_equal(outcome.images[5:], lifelong.generate(CONFIG, networks.teacher, noise.replay)[:5])
    assert (outcome.costs.consistency.numpy()[:5] == 0).all() and (outcome.costs.consistency.numpy()[5:] > 0).all()


def test_evaluation_is_on_test_data_alone_unless_exact():
    networks, optimizer, lineage = _first()
    networks, optimizer, lineage, _ = fork.fork(CONFIG, lineage, networks, optimizer, 1)
    noise = draw_noise(CONFIG, lineage, networks, 10, "test", 0)
    ours = lifelong.evaluation_costs(CONFIG, networks, lineage, _images(), noise, 1.0)
    np.testing.assert_array_equal(ours.images, _images())
    exact = dataclasses.replace(CONFIG, tf1_exact=True)
    theirs = lifelong.evaluation_costs(exact, networks, lineage, _images(), noise, 1.0)
    assert (theirs.images.numpy()[5:] != _images().numpy()[5:]).any()


def test_student_inherits_what_keeps_its_shape():
    networks, optimizer, lineage = _first()
    before = checkpoint.tf1_model(CONFIG, lineage, networks.student, optimizer)
    forked, fresh, grown, pairs = fork.fork(CONFIG, lineage, networks, optimizer, 1)
    after = checkpoint.tf1_model(CONFIG, grown, forked.student, fresh)
    assert forked.teacher is networks.student
    changed = {name for name in after.weights() if name not in pairs}
    assert {name.partition("/")[2] for name in changed} == {
        "encoder/encoder/projection/weights", "encoder/encoder/projection/biases",
        "generator/decoder/layer/layer_1/weights"}
    for ours, theirs in pairs.items():
        np.testing.assert_array_equal(after.weights()[ours], before.weights()[theirs])


def test_convolutional_decoder_is_copied_whole_unless_exact():
    config = dataclasses.replace(CONFIG, architecture=Architecture("cnn", (32, 32, 1), "bernoulli"))
    networks, optimizer, lineage = _first(config)
    pairs = fork.fork(config, lineage, networks, optimizer, 1)[3]
    assert all(ours.endswith(theirs.rpartition("cnn_")[2].partition("/")[2]) for ours, theirs in pairs.items())
    decoder = [name for name in pairs if "/generator/" in name]
    assert len(decoder) == 11  # all but the first kernel, whose input grows
    exact = fork.fork(dataclasses.replace(config, tf1_exact=True), lineage, networks, optimizer, 1)[3]
    third = model_name(config, Latents(config.latent_size, 1), 1) + "/encoder/encoder/Conv_2/weights"
    assert exact[third].endswith("generator/cnn_decoder/Conv2d_transpose_3/weights")


def test_the_teacher_never_learns():
    networks, optimizer, lineage = _first()
    networks, optimizer, lineage, _ = fork.fork(CONFIG, lineage, networks, optimizer, 1)
    steps = step.make_steps(CONFIG, 1, lineage, networks, optimizer, step.start_clock())
    before = [variable.numpy() for variable in networks.teacher.variables]
    student = [variable.numpy() for variable in networks.student.trainable_variables]
    steps.train(_images(), draw_noise(CONFIG, lineage, networks, 10, "test", 0), 1.0)
    for variable, old in zip(networks.teacher.variables, before):
        np.testing.assert_array_equal(variable, old)
    assert all((variable.numpy() != old).any() for variable, old in zip(networks.student.trainable_variables, student))


@pytest.mark.full
def test_two_models_exist_after_many_forks():
    networks, optimizer, lineage = _first()
    alive = set()
    for _ in range(4):
        networks, optimizer, lineage, _ = fork.fork(CONFIG, lineage, networks, optimizer, 1)
        alive |= {id(networks.student.encoder)}
    gc.collect()
    bodies = [thing for thing in gc.get_objects() if isinstance(thing, type(networks.student.encoder))
              and id(thing) in alive]
    assert len(bodies) <= 2


def test_agreement_is_that_of_the_most_probable_classes():
    student, teacher = tf.constant([[2.0, 1.0], [0.0, 3.0]]), tf.constant([[5.0, 1.0], [4.0, 0.0]])
    assert float(lifelong.agreement(student, teacher)) == 0.5
