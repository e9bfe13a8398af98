"""What the report reads of a run, against the pictures that training draws and against the networks themselves."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lib import pictures
from lib.errors import UserError
from lib.mergan.config import Config
from lib.mergan.methods import name_of
from lib.mergan.networks import Networks
from lib.mergan.pictures import Pictures
from lib.mergan.report import gallery
from lib.mergan.report.gallery import Gallery, Sample
from lib.mergan.samples import samples_of
from tests.report.conftest import write_checkpoint, write_run, write_sample


class NoRun:
    """In place of a run, where pictures are drawn."""

    first_step = 0

    def __init__(self, directory):
        self.directory, self.log = directory, self

    def picture(self, *_):
        pass


def fixed_noise(config):
    return samples_of(config).fixed_noise(config.seed)


def settings_of(config: Config) -> dict:
    return {"system": "MeRGAN", "load_model": "", **vars(config)}


def trained(directory, config: Config, task: int):
    """A run whose task `task` is finished, drawn as training draws it: (its gallery, its networks)."""
    write_run(directory, config)
    networks = write_checkpoint(directory, config, task, seed=task)
    Pictures(config, networks, NoRun(directory)).samples(task, config.iterations - 1)
    return Gallery(directory, settings_of(config)), networks


@pytest.mark.parametrize("switches, name", [
    ({}, "SFT"), ({"joint": True}, "JT"), ({"joint_replay": True}, "JTR"), ({"replay_alignment": True}, "RA"),
    ({"consolidation": True}, "EWC"), ({"generative_replay": True}, "DGR"),
    ({"joint_replay": True, "replay_alignment": True}, "JTR + RA")])
def test_methods_have_the_paper_s_names(switches, name):
    assert name_of(settings_of(Config("mnist", 2, **switches))) == name


def test_published_figures_of_each_data_set():
    figures = {"table1_accuracy_percent": {"svhn": {"5_tasks": {"RA": 76.05}, "10_tasks": {"RA": 66.78}}},
               "table2_lsun_after_4_tasks": {"accuracy_percent": {"RA": 81.03}, "FID": {"RA": 37.73},
                                             "reverse_accuracy_percent": {"RA": 83.62}}}
    assert gallery.published(figures, "svhn") == {("accuracy [%]", 5): {"RA": 76.05},
                                                  ("accuracy [%]", 10): {"RA": 66.78}}
    assert gallery.published(figures, "lsun") == {
        ("accuracy [%]", 4): {"RA": 81.03}, ("reverse accuracy [%]", 4): {"RA": 83.62},
        ("FID (Inception-v3)", 4): {"RA": 37.73}}
    assert gallery.published(figures, "digits") == {}


def test_a_task_is_finished_with_the_checkpoint_of_its_last_iteration(tmp_path):
    config = Config("digits", 3)
    run, networks = trained(tmp_path, config, 1)
    assert run.finished() == [2]
    # The first iteration of the next task has a checkpoint too.
    for suffix in ("index", "data-00000-of-00001"):
        (tmp_path / f"model/WGAN_GP.model1-2.{suffix}").rename(tmp_path / f"model/WGAN_GP.model1-0.{suffix}")
    assert run.finished() == []


def test_images_are_those_that_training_drew(tmp_path):
    """The generator of task 2 with the noise of the sample pictures, in batches of the same images."""
    run, _ = trained(tmp_path, Config("digits", 3, replay_alignment=True), 1)
    sample = Sample(2, 2)
    assert run.samples() == [sample]
    drawn = run.sample_rows(sample, 100)
    for row, label in zip(run.classes_by_latents(2, 100), range(2)):
        again = pictures.stretch(pictures.grid(np.array(row), columns=100))
        expected = np.concatenate(drawn[label], axis=1)
        assert abs(again.astype(int) - expected).max() <= 2  # a pixel may be truncated the other way, then stretched
    assert [len(row) for row in run.sample_rows(sample, 3)] == [3, 3]
    assert np.array_equal(run.sample_rows(sample, 1, [1])[0][0], drawn[1][0])


def test_more_images_than_a_batch_go_on_with_other_noise(tmp_path):
    run, networks = trained(tmp_path, Config("digits", 3), 0)
    images = run.images(1, 0, 130)
    expected = [networks.generator(fixed_noise(Config("digits", 3, seed=seed)), tf.zeros([100], tf.int32)).numpy()
                for seed in (0, 1)]
    assert images.shape == (130, 32, 32, 1)
    np.testing.assert_allclose(images, np.concatenate(expected)[:130], atol=1e-5)


def test_joint_training_draws_all_classes_in_one_batch(tmp_path):
    run, _ = trained(tmp_path, Config("digits", 3, joint=True), 0)
    assert run.finished() == [10] and run.samples() == [Sample(10, 2)]
    rows = run.classes_by_latents(10, 10)
    # In the picture of joint training a row is a latent vector.
    again = pictures.stretch(pictures.grid(np.array(rows).swapaxes(0, 1).reshape(100, 32, 32, 1)))
    drawn = run.sample_rows(Sample(10, 2), 10)
    expected = np.concatenate([np.concatenate(row, axis=0) for row in drawn], axis=1)
    assert abs(again.astype(int) - expected).max() <= 2


def test_the_picture_of_joint_training_has_a_column_for_each_class(tmp_path):
    """Four columns for lsun: a label that nothing was learned of would spoil the batch's statistics."""
    config = Config("lsun", 3, joint=True)

    def painter(noise, labels):
        return tf.ones([1, 64, 64, 3]) * tf.reshape(tf.cast(labels, tf.float32) / 1.5 - 1, [-1, 1, 1, 1])

    write_run(tmp_path, config)
    Pictures(config, Networks(painter, None), NoRun(tmp_path)).samples(0, 2)
    run = Gallery(tmp_path, settings_of(config))
    assert run.samples() == [Sample(4, 2)]
    rows = run.sample_rows(Sample(4, 2), 10)
    assert [np.unique(row).tolist() for row in rows] == [[0], [85], [170], [255]] and len(rows[0]) == 10


def test_latent_vectors_are_the_same_in_joint_training():
    ten = fixed_noise(Config("digits", 3, joint=True)).numpy()[::10]
    np.testing.assert_array_equal(ten, fixed_noise(Config("digits", 3)).numpy()[:10])


@pytest.mark.full
def test_unconditional_images_are_sorted_by_the_solver(tmp_path):
    run, networks = trained(tmp_path, Config("digits", 3, generative_replay=True), 2)
    assert not run.conditional and run.samples() == [Sample(3, 2)]
    found = run.classes_by_latents(3, 4)
    assert len(found) == 3 and any(found)
    for label in range(3):
        images = run.images(3, label, 4)
        assert len(images) == len(found[label])
        if len(images):
            logits = networks.solver(images).logits.numpy()[:, :3]
            assert (logits.argmax(axis=1) == label).all()
    assert [len(row) for row in run.sample_rows(Sample(3, 2), 6)] == [6] * 10


def test_moments_are_complete_and_in_the_order_of_training(tmp_path):
    write_run(tmp_path, Config("digits", 300))
    for name in ("Task_1_Iter_16_0", "Task_1_Iter_2_0", "Task_2_Iter_0_0", "Task_2_Iter_0_1", "Task_2_Iter_1_0",
                 "samples_groundtruth_0"):
        write_sample(tmp_path, f"{name}.png", np.zeros(100))
    run = Gallery(tmp_path, settings_of(Config("digits", 300)))
    assert run.samples() == [(1, 2), (1, 16), (2, 0)]  # the last one still lacks class 1


def test_tiles_of_a_sample_picture(tmp_path):
    write_run(tmp_path, Config("digits", 3))
    write_sample(tmp_path, "Task_1_Iter_2_0.png", 2 * np.arange(100))
    (row,) = Gallery(tmp_path, settings_of(Config("digits", 3))).sample_rows(Sample(1, 2), 25)
    assert [tile[5, 5].tolist() for tile in row] == [[2 * k] * 3 for k in range(25)]


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_damaged_picture_is_named(tmp_path, content):
    write_run(tmp_path, Config("digits", 3))
    (tmp_path / "samples/Task_1_Iter_2_0.png").write_bytes(content)
    with pytest.raises(UserError, match="Task_1_Iter_2_0.png"):
        Gallery(tmp_path, settings_of(Config("digits", 3))).sample_rows(Sample(1, 2), 1)


@pytest.mark.parametrize("most", [1000, 60_000])  # pixels: Pillow refuses twice as many and warns of more
def test_a_picture_that_would_fill_the_memory_is_named(tmp_path, monkeypatch, most):
    write_run(tmp_path, Config("digits", 3))
    write_sample(tmp_path, "Task_1_Iter_2_0.png", np.zeros(100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    warnings.simplefilter("error", Image.DecompressionBombWarning)  # as reading image files sets it
    with pytest.raises(UserError, match="Task_1_Iter_2_0.png"):
        Gallery(tmp_path, settings_of(Config("digits", 3))).sample_rows(Sample(1, 2), 1)


def test_a_picture_of_another_size_is_named(tmp_path):
    write_run(tmp_path, Config("digits", 3))
    pictures.save_grid(tmp_path / "samples/Task_1_Iter_2_0.png", np.zeros([100, 8, 8, 1]))
    with pytest.raises(UserError, match="10 x 10"):
        Gallery(tmp_path, settings_of(Config("digits", 3))).sample_rows(Sample(1, 2), 1)
