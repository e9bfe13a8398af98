"""`--test` beyond the original's accuracy: which images are measured, against which, and under which name."""

import numpy as np
import pytest
import tensorflow as tf

from lib.classifiers.real_images import RealImages
from lib.mergan import evaluate
from lib.mergan.config import Config
from lib.mergan.networks import Judgement, Networks, build_networks
from lib.mergan.samples import samples_of


def brightness(label, offset=0.0):
    """The grey level that stands for a class: labels 0..9 -> -0.9 .. 0.9."""
    return tf.cast(label, tf.float32) * 0.2 - 0.9 + offset


def painter(noise, labels, groups=1):
    """A generator that paints its label as a grey image, with a little noise."""
    level = tf.reshape(brightness(labels), [-1, 1, 1, 1])
    return tf.clip_by_value(level + 0.01 * tf.reshape(noise[:, :1], [-1, 1, 1, 1]), -1, 1) * tf.ones([1, 32, 32, 1])


def reader(images):
    """The class that a grey image of the networks' range stands for, as one-hot logits."""
    level = tf.reduce_mean(images, axis=[1, 2, 3])
    return tf.one_hot(tf.cast(tf.round((level + 0.9) / 0.2), tf.int32), 10) * 9.0


class PerfectClassifier:
    """Reads what `painter` paints from the classifiers' input 0..256."""

    def __call__(self, images):
        return reader(images / 128.0 - 1.0)

    def features(self, images):
        flat = tf.reshape(images, [images.shape[0], -1])
        return tf.concat([flat[:, :2], self(images)], axis=1)


NETWORKS = Networks(generator=painter, critic=None)


def labelled(config, networks=NETWORKS, **options):
    return evaluate.labelled_samples(samples_of(config, networks), **options)


def real(per_class=20):
    labels = np.repeat(np.arange(10, dtype=np.int32), per_class)
    images = painter(tf.random.stateless_normal([len(labels), 128], [1, 2]), labels).numpy()
    return RealImages(((images + 1) * 127.5).astype(np.uint8), labels)


@pytest.fixture
def perfect(monkeypatch):
    monkeypatch.setattr(evaluate.pretrained, "evaluation_classifier", lambda *_: PerfectClassifier())
    monkeypatch.setattr(evaluate.real_images, "load", lambda *_: real())


def test_samples_are_as_many_of_each_learned_class():
    images, labels = labelled(Config("mnist", 1, batch_size=8), task=2, per_class=20)
    assert np.bincount(labels).tolist() == [20, 20, 20]
    np.testing.assert_array_equal(np.argmax(reader(images), axis=1), labels)


def test_joint_samples_are_of_all_classes():
    _, labels = labelled(Config("mnist", 1, joint=True), task=4, per_class=30)
    assert np.bincount(labels).tolist() == [30] * 10
    _, labels = labelled(Config("lsun", 1, joint=True), task=0, per_class=30)
    assert np.bincount(labels).tolist() == [30] * 4


def test_joint_accuracy_asks_for_the_data_sets_classes_under_the_classifiers_numbers():
    numbers = tf.constant([0, 1, 8, 6])
    networks = Networks(lambda noise, labels: painter(noise, tf.gather(numbers, labels)), None)
    _, hits = evaluate.recognised(samples_of(Config("lsun", 1, joint=True), networks), PerfectClassifier(), task=0,
                                  repeats=2)
    assert hits.shape == (2, 100) and hits.all()


def test_under_generative_replay_the_solver_says_what_an_image_is():
    def solver(images):
        nine, one = (tf.one_hot([label] * images.shape[0], 10) for label in (9, 1))
        return Judgement(None, nine + 0.5 * one)

    networks = Networks(generator=painter, critic=None, solver=solver)
    images, labels = labelled(Config("mnist", 1, generative_replay=True, batch_size=8), task=2, per_class=8,
                              networks=networks)
    assert set(labels) == {1}  # class 9 is not learned yet
    assert set(np.argmax(reader(images), axis=1)) == {0}  # asked without a class


def test_what_the_solver_of_generative_replay_knows_is_told_apart_from_what_is_drawn(perfect):
    def generator(noise, labels):  # classes 0 and 2, never 1
        return painter(noise, tf.where(noise[:, 1] < 0.0, 0, 2))

    def solver(images):  # takes 1 and 2 for each other
        return Judgement(None, tf.gather(reader(images), [0, 2, 1], axis=1))

    config = Config("mnist", 1, generative_replay=True, batch_size=50)
    networks = Networks(generator, None, solver=solver)
    figures = evaluate.Evaluation(config, networks, "", evaluate.Measured(("solver",))).run(2)["solver"]
    assert figures["real_accuracy"] == {"0": 1.0, "1": 0.0, "2": 0.0} and figures["clear"] == 1.0
    share = figures["judged"]["0"]
    assert share == pytest.approx(0.5, abs=0.1)
    assert figures["judged"] == pytest.approx({"0": share, "1": 0.0, "2": 1.0 - share})
    assert figures["labelled"] == pytest.approx({"0": share, "1": 1.0 - share, "2": 0.0})
    assert figures["clear_accuracy"] == pytest.approx(share)
    assert figures["clear_accuracy_of"] == {"0": 1.0, "1": 0.0, "2": 0.0}
    with pytest.raises(evaluate.UserError, match="only a run with --DGR has a solver"):
        evaluate.Evaluation(Config("mnist", 1), NETWORKS, "", evaluate.Measured(("solver",)))


@pytest.mark.full
def test_accuracy_of_a_perfect_and_of_a_forgetful_generator(perfect, capsys):
    config = Config("mnist", 1, batch_size=8)
    assert evaluate.Evaluation(config, NETWORKS, "", evaluate.Measured()).run(4)["average_accuracy"] == 1.0
    forgetful = Networks(generator=lambda noise, labels: painter(noise, tf.fill(tf.shape(labels), 4)), critic=None)
    result = evaluate.Evaluation(config, forgetful, "", evaluate.Measured()).run(4)
    assert result["accuracy"] == {"0": 0, "1": 0, "2": 0, "3": 0, "4": 1} and result["average_accuracy"] == 0.2
    assert "Task: 5   Class: 4   Accuracy: 1.0\nAverage accuracy: 0.2\n" in capsys.readouterr().out


def test_distance_is_small_for_like_and_large_for_unlike_images_and_carries_its_name(perfect):
    def distance(generator, task):
        networks = Networks(generator=generator, critic=None)
        result = evaluate.Evaluation(Config("mnist", 1, batch_size=8), networks, "",
                                     evaluate.Measured(("fid",))).run(task)
        return result["FID (mnist classifier features)"]

    assert distance(painter, 9) < 50 < distance(lambda noise, labels: -painter(noise, labels * 0), 9)
    assert distance(painter, 3) < 50  # against real images of the four learned classes only


def test_lsun_takes_inception_if_it_can_be_had_and_never_its_name_if_not(perfect, monkeypatch):
    """On the other sets it is used only if its weights are given."""
    def extractor(dataset, **options):
        return evaluate.Evaluation(Config(dataset, 1), NETWORKS, "", evaluate.Measured(("fid",), **options))._extractor

    def missing(weights=None):
        raise evaluate.UserError("no weights")

    monkeypatch.setattr(evaluate.inception, "features", lambda weights=None: weights or "downloaded")
    assert extractor("lsun") == "downloaded" and extractor("lsun", inception_weights="file") == "file"
    assert extractor("svhn", inception_weights="file") == "file"
    assert extractor("svhn").name == "svhn classifier features"
    monkeypatch.setattr(evaluate.inception, "features", missing)
    assert extractor("lsun").name == "lsun classifier features"
    with pytest.raises(evaluate.UserError, match="no weights"):
        extractor("lsun", inception_weights="file")


def test_reverse_accuracy_trains_on_generated_and_tests_on_real_images_of_the_learned_classes(perfect, monkeypatch):
    seen = {}

    def record(dataset, images, labels, real_images, real_labels, seed):
        seen.update(generated=np.bincount(labels), real=np.bincount(real_labels))
        return 0.75

    monkeypatch.setattr(evaluate.reverse_accuracy, "reverse_accuracy", record)
    evaluation = evaluate.Evaluation(Config("mnist", 1, batch_size=10), NETWORKS, "",
                                     evaluate.Measured(("reverse_accuracy",)))
    assert evaluation.run(2) == {"task": 3, "reverse_accuracy": 0.75}
    assert seen["generated"].tolist() == [20] * 3 and seen["real"].tolist() == [20] * 3
    monkeypatch.setattr(evaluate, "_REVERSE_LIMIT", 15)
    evaluation.run(2)
    assert seen["generated"].tolist() == [15] * 3


def test_what_was_forgotten_is_known_where_every_task_was_tested(capsys):
    tasks = [{"task": 1, "accuracy": {"0": 0.8}}, {"task": 2, "accuracy": {"0": 0.6, "1": 0.5}}]
    assert evaluate.add_forgetting(tasks[1:]) == {} and evaluate.add_forgetting([{"task": 5}]) == {}
    assert evaluate.add_forgetting(tasks) == {"accuracy_matrix": [[0.8, None], [0.6, 0.5]]}
    assert tasks[1]["forgetting"] == pytest.approx(0.2) and tasks[1]["backward_transfer"] == pytest.approx(-0.2)
    assert "forgetting" not in tasks[0]
    assert "average accuracy 0.5500, forgetting 0.2000, backward transfer -0.2000" in capsys.readouterr().out


@pytest.mark.full
def test_every_task_is_tested_when_asked(perfect, monkeypatch, tmp_path):
    loaded = []
    monkeypatch.setattr(evaluate, "_load", lambda directory, config, networks, task: loaded.append(task))
    monkeypatch.setattr(evaluate, "networks_of", lambda *_: NETWORKS)
    metrics = evaluate.run(Config("mnist", 1, batch_size=8), tmp_path, "", evaluate.Measured(every_task=True))
    assert [entry["task"] for entry in metrics["tasks"]] == list(range(1, 11)) and loaded == list(range(10))


def test_missing_checkpoint_names_the_file_and_what_there_is(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/WGAN_GP.model4-1000.index").write_bytes(b"")
    networks = build_networks(Config("mnist", 1).data)
    with pytest.raises(evaluate.UserError, match=r"model4-4000; it holds iteration 1000: use --iters 1001"):
        evaluate._load(tmp_path, Config("mnist", 4001), networks, 4)
