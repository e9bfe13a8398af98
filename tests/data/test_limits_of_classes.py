"""Data as the originals read them: chairs in one array, and no more images of a class than were asked for."""

import numpy as np
import pytest

from lib.errors import UserError
from lib.mergan.config import make_config
from lib.mergan.data import TrainingImages
from memorygan import config as memorygan
from memorygan import data
from tests import written


def test_the_first_images_of_each_class_are_learned(tmp_path):
    written.mnist_like(tmp_path / "mnist", 5100, 20)  # ten of each class are left to train on
    whole = TrainingImages(make_config(dataset="mnist"), str(tmp_path))
    some = TrainingImages(make_config(dataset="mnist", images_per_class=4, batch_size=4), str(tmp_path))
    assert not whole.limited and some.limited
    images, labels = some.batches(3).take(0, 2)
    assert (labels == 3).all() and len(np.unique(images.reshape(8, -1), axis=0)) == 4


def test_a_limit_is_no_setting_where_it_does_not_act():
    """Runs that were begun before there was one go on."""
    config = make_config(dataset="lsun")
    assert config.images_per_class == 100_000 and "images_per_class" not in config.as_settings()


@pytest.mark.parametrize("shape", [(9, 32, 32), (9, 40, 32, 1), (9, 64, 64, 3), (9, 1024)])
def test_chairs_in_the_originals_array(tmp_path, shape):
    (tmp_path / "chair").mkdir()
    images = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    np.save(tmp_path / "chair" / "small_chairs.npy", images)
    training = data.open_training(memorygan.make_config("chair", batch_size=4), str(tmp_path))
    batch = training.batches.take(0, 2)[0]
    assert training.examples == 9 and batch.shape == (2, 4, 64, 64, 3) and batch.dtype == np.uint8
    assert training.origin.source == f"file {tmp_path}/chair/small_chairs.npy"


def test_another_array_is_refused(tmp_path):
    (tmp_path / "chair").mkdir()
    np.save(tmp_path / "chair" / "small_chairs.npy", np.zeros([3, 32, 32]))
    with pytest.raises(UserError, match="float64"):
        data.open_training(memorygan.make_config("chair"), str(tmp_path))
