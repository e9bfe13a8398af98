"""Three ways to ask for images: what is asked, what an image stands for, and which picture shows it."""

import numpy as np
import pytest
import tensorflow as tf

from lib.mergan.config import Config
from lib.mergan.networks import Judgement, Networks
from lib.mergan.samples import AllAtOnce, PerClass, Unconditional, samples_of

WAYS = {PerClass: {}, AllAtOnce: {"joint": True}, Unconditional: {"generative_replay": True}}


def painter(noise, labels, groups=1):
    """Images of the label's shade, and of the batch's place."""
    shade = tf.cast(labels, tf.float32)[:, None, None, None]
    return tf.concat([shade, tf.cast(tf.range(tf.shape(noise)[0]), tf.float32)[:, None, None, None]], axis=3)


def solver(images):
    """Sees class 2 in every third image of a batch, else the last class of all."""
    third = tf.cast(images[:, 0, 0, 1], tf.int32) % 3 == 0
    return Judgement(None, tf.one_hot(tf.where(third, 2, 9), 10) + 0.5 * tf.one_hot([1] * images.shape[0], 10))


def of(way, **settings):
    return samples_of(Config("mnist", 3, batch_size=8, **WAYS[way], **settings), Networks(painter, None, solver=solver))


@pytest.mark.parametrize("way", WAYS)
def test_each_run_has_its_way(way):
    assert type(of(way)) is way


@pytest.mark.parametrize("way", WAYS)
def test_pictures_are_found_again_by_their_names(way):
    samples = of(way)
    learned = samples.learned(2)
    files = samples.files(learned, 16)
    assert {samples.moment(file) for file in files} == {(learned, 16)}
    assert samples.moment("samples_groundtruth_4.png") is None and samples.moment("Task_1_Iter_.png") is None
    drawn = samples.pictures(learned, samples.fixed_noise(0))
    assert len(drawn) == len(files) and drawn.shape[1] == 100


@pytest.mark.parametrize("way", [PerClass, AllAtOnce])
def test_a_row_of_a_picture_is_a_class(way):
    samples = of(way)
    learned = samples.learned(2)
    drawn = samples.pictures(learned, samples.fixed_noise(0))
    for number in range(samples.rows(learned)):
        file, part = samples.row(number)
        assert set(drawn[file][part][:, 0, 0, 0]) == {number} and len(drawn[file][part]) >= 10


@pytest.mark.parametrize("way", [PerClass, AllAtOnce])
def test_images_of_a_class_are_those_asked_for(way):
    found = of(way).of_class(3, 10, tf.zeros([20, 128]))
    assert set(found[:, 0, 0, 0]) == {3} and len(found) == (20 if way is PerClass else 2)


def test_an_unconditional_generators_images_are_sorted_among_the_learned_classes():
    found = of(Unconditional).of_class(2, 3, tf.zeros([9, 128]))
    assert found[:, 0, 0, 1].tolist() == [0, 3, 6]
    assert of(Unconditional).of_class(1, 3, tf.zeros([9, 128])).shape[0] == 6  # 9 is not learned yet


def test_rounds_of_a_test_have_noise_of_their_own():
    for way, count in ((PerClass, 3 * 4), (AllAtOnce, 4), (Unconditional, 3 * 4)):
        rounds = of(way).rounds(2, repeats=4)
        assert len({counters for _, counters in rounds}) == len(rounds) == count
    assert [label for label, _ in of(PerClass).rounds(1, 2)] == [0, 0, 1, 1]


def test_shares_are_all_learned_classes():
    for way in WAYS:
        samples = of(way)
        assert sum(share for _, share in samples.shares(samples.learned(2))) == samples.learned(2)
    assert np.array_equal(of(AllAtOnce).asked(0, 12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
