"""Images on their way to the networks."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lib.data import from_tfds
from lib.errors import UserError
from memorygan import data
from memorygan.config import DATASETS
from tests import written
from tests.memorygan import tiny


def test_ranges_follow_the_data_set():
    images = tf.constant(np.array([0, 51, 255], np.uint8).reshape(1, 3, 1, 1))
    np.testing.assert_allclose(data.preprocess(DATASETS["fashion"], images).numpy().ravel(), [0, 0.2, 1], rtol=1e-6)
    np.testing.assert_allclose(data.preprocess(DATASETS["celeba"], images).numpy().ravel(), [-1, -0.6, 1], rtol=1e-6)


def test_augmentation_is_drawn_within_its_bounds_and_anew_for_each_step():
    drawn = [data.draw_augmentation(0, name, k) for name in ("discriminator", "generator") for k in range(50)]
    deltas, factors = (np.array([float(value) for value in values]) for values in zip(*drawn))
    assert np.abs(deltas).max() <= 16 / 255 and 0.8 <= factors.min() and factors.max() <= 1.2
    assert len(set(deltas)) == 100


def test_a_digit_lands_upright_where_it_is_put():
    digit = np.arange(784, dtype=np.uint32).reshape(28, 28).astype(np.uint8)
    square = data.place(digit, 0, 3, 11)
    np.testing.assert_array_equal(square[3:31, 11:39], digit)
    assert square.sum(dtype=int) == digit.sum(dtype=int) and square.shape == (40, 40)


def test_distortions_cover_what_the_original_draws():
    draws = data.draw_distortions(0, "train", 5000, 7)
    np.testing.assert_array_equal(draws.min(axis=0), [0, 0, 0])
    np.testing.assert_array_equal(draws.max(axis=0), [40, 11, 11])
    np.testing.assert_array_equal(draws, data.draw_distortions(0, "train", 5000, 7))
    assert not np.array_equal(draws, data.draw_distortions(0, "train", 5000, 8))


def test_affine_batches_are_functions_of_their_number(tmp_path):
    written.mnist_like(tmp_path / "affmnist", 40, 16)
    config = tiny.config("affmnist")
    training = data.open_training(config, str(tmp_path))
    together, labels = training.batches.take(3, 4)
    assert training.examples == 40 and together.shape == (4, 8, 40, 40, 1) and together.dtype == np.uint8
    later, later_labels = data.open_training(config, str(tmp_path)).batches.take(5, 1)
    np.testing.assert_array_equal(together[2], later[0])
    np.testing.assert_array_equal(labels[2], later_labels[0])


def test_the_first_epoch_is_in_file_order_and_every_epoch_has_every_image(tmp_path):
    written.mnist_like(tmp_path / "fashion", 40, 16)
    batches = data.open_training(tiny.config(), str(tmp_path)).batches
    images = data.load(tiny.config(), "train", str(tmp_path)).images
    np.testing.assert_array_equal(batches.take(0, 5)[0].reshape(-1, 28, 28, 1), images)
    second = batches.take(5, 5)[0].reshape(-1, 28, 28, 1)
    assert not np.array_equal(second, images)
    assert {image.tobytes() for image in second} == {image.tobytes() for image in images}


@pytest.mark.parametrize("dataset", ["chair", "celeba"])
def test_images_in_folders_are_cut_square_and_scaled(tmp_path, dataset):
    folder = tmp_path / dataset / "below"
    folder.mkdir(parents=True)
    for number in range(8):
        # Green in the middle square, red left and right of it.
        picture = np.zeros((100, 180, 3), np.uint8)
        picture[..., 0] = 255
        picture[:, 40:140] = (0, 255, 0)
        Image.fromarray(picture).save(folder / f"{number}.png")
    training = data.open_training(tiny.config(dataset), str(tmp_path))
    images, _ = training.batches.take(0, 2)
    assert training.examples == 8 and images.shape == (2, 8, 64, 64, 3)
    assert (images == (0, 255, 0)).all()


def test_celeba_comes_from_tfds_where_no_folder_is(tmp_path, monkeypatch):
    # Each red but for a middle square of its own grey.
    pictures = np.full((8, 218, 178, 3), (255, 0, 0), np.uint8)
    pictures[:, 20:198] = np.arange(8, dtype=np.uint8)[:, None, None, None]
    asked = []

    def open_images(name, split, *others):
        asked.append((name, split))
        return [{"image": picture} for picture in pictures]

    monkeypatch.setattr(from_tfds, "open_images", open_images)
    training = data.open_training(tiny.config("celeba"), str(tmp_path))
    images, _ = training.batches.take(0, 1)
    assert asked == [("celeb_a", "train")] and training.examples == 8
    assert sorted(image.ravel().tolist()[0] for image in images[0]) == list(range(8))
    assert (images[0].max(axis=(1, 2, 3)) == images[0].min(axis=(1, 2, 3))).all()


def test_missing_and_too_few_images_are_refused(tmp_path):
    with pytest.raises(UserError, match="celeba"):
        data.open_training(tiny.config("celeba"), str(tmp_path))
    written.mnist_like(tmp_path / "fashion", 5, 16)
    with pytest.raises(UserError, match="5 images are fewer than the 8"):
        data.open_training(tiny.config(), str(tmp_path))
