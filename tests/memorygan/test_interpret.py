"""What the figures show."""

import numpy as np
import tensorflow as tf
from PIL import Image

from lib import files
from memorygan import data, interpret, memory
from memorygan.config import Command
from memorygan.step import build_model
from tests.memorygan import tiny


def remembering(dataset="fashion", **settings):
    """A model whose memory holds random keys, half of them real."""
    config = tiny.config(dataset, **settings)
    model = build_model(config)
    state = model.memory.state()
    keys = tf.math.l2_normalize(tf.random.stateless_normal(state.keys.shape, [1, 2]), axis=1)
    model.memory.assign(state._replace(keys=keys, histogram=tf.random.stateless_uniform([64], [3, 4], 0.5, 2.0)))
    return config, model


def random_images(count, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (count, 28, 28, 1)).astype(np.uint8)


def test_bilinear_interpolation_keeps_corners_and_meets_in_the_middle():
    corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 8.0], [4.0, 8.0]], np.float32)
    square = interpret.bilinear(corners, 5).reshape(5, 5, 2)
    np.testing.assert_allclose(square[[0, 0, -1, -1], [0, -1, 0, -1]], corners)
    np.testing.assert_allclose(square[2, 2], [2.0, 4.0])
    np.testing.assert_allclose(square[0, :, 0], [0, 1, 2, 3, 4])


def test_interpolations_are_64_images_that_change_smoothly_over_noise():
    config, model = remembering()
    images = interpret.interpolate_noise(config, model)
    assert images.shape == (64, 28, 28, 1) and interpret.interpolate_keys(config, model).shape == images.shape
    rows = images.reshape(8, 8, -1)
    steps = np.linalg.norm(np.diff(rows, axis=1), axis=2)
    across = np.linalg.norm(rows[:, -1] - rows[:, 0], axis=1)
    assert (steps.max(axis=1) < 0.5 * across).all()


def test_a_gan_interpolates_noise_alone():
    config = tiny.config(model="GAN", discriminator="base_d")
    assert interpret.interpolate_noise(config, build_model(config)).shape == (64, 28, 28, 1)


def test_the_posterior_of_nine_real_slots_is_the_memorys_own():
    config, model = remembering()
    (image,) = random_images(1)
    slots, posterior, images = interpret.explain(config, model, image)
    state = model.memory.state()
    full = memory.posterior(state, tf.constant(interpret.queries_of(config, model, image[None])))[0].numpy()
    real = state.values.numpy() == 1
    assert len(set(slots)) == 9 and real[slots].all() and images.shape == (9, 28, 28, 1)
    np.testing.assert_array_equal(posterior, full[slots])
    assert (np.diff(posterior) <= 0).all() and slots[0] == np.argmax(np.where(real, full, 0))


def test_nearest_images_find_the_image_itself_first():
    config, model = remembering()
    real = random_images(30)
    whole = interpret.nearest_images(config, model, real[[4, 17]], [real])
    assert whole.shape == (2, 7, 28, 28, 1)
    np.testing.assert_array_equal(whole[:, 0], real[[4, 17]])
    # Some at a time, the same are found.
    parts = interpret.nearest_images(config, model, real[[4, 17]], [real[:3], real[3:20], real[20:]])
    np.testing.assert_array_equal(parts, whole)


def test_all_training_images_are_searched_but_what_fills_no_batch(fashion):
    config = tiny.config()
    training = data.open_training(config, str(fashion))
    found = np.concatenate([*interpret.training_images(training, config.batch_size)])
    assert len(found) == training.examples // config.batch_size * config.batch_size
    assert len(np.unique(found.reshape(len(found), -1), axis=0)) == len(found)


def test_every_figure_is_drawn_from_a_checkpoints_model_and_its_logs(tmp_path, monkeypatch, fashion):
    monkeypatch.chdir(tmp_path)
    config, model = remembering()
    logs = tmp_path / "logs/0/run"
    files.make_directory(logs / "prior")
    files.write_text(logs / "log.jsonl", '{"step": 3, "means": {}, "values": {"test_log_likelihood": {"3": -1.5}}}\n'
                                         '{"step": 4, "means": {}}\n')
    np.save(logs / "prior/epoch_2.npy", memory.categorical_prior(model.memory.state()).numpy())
    command = Command(load_cp_dir=str(tmp_path / "checkpoint/0/run"), data_dir=str(fashion))
    interpret.run(config, model, command, tmp_path)
    drawn = {path.stem: Image.open(path).size for path in tmp_path.glob("*.png")}
    assert set(drawn) == {"interpolation_noise", "interpolation_keys", "log_likelihood", "prior", "posterior",
                          "nearest"}
    assert drawn["interpolation_noise"] == (8 * 28, 8 * 28) and drawn["nearest"] == (8 * 28, 8 * 28)


def test_without_a_real_slot_there_is_no_posterior_to_draw(tmp_path, monkeypatch, fashion):
    monkeypatch.chdir(tmp_path)
    config, model = remembering()
    state = model.memory.state()
    model.memory.assign(state._replace(values=tf.zeros_like(state.values)))
    command = Command(load_cp_dir=str(tmp_path / "checkpoint/0/run"), data_dir=str(fashion))
    interpret.run(config, model, command, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.png")} == {"interpolation_noise", "interpolation_keys", "nearest"}
