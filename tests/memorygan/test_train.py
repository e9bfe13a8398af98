"""What a training keeps and draws."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lib import files
from lib.run.options import Options
from lib.run.resume import ResumePoints
from memorygan import checkpoint, places, record, samples, train
from memorygan.config import Command
from memorygan.step import build_model, make_steps
from tests import written
from tests.memorygan import tiny


@pytest.mark.parametrize("dataset", ["fashion", pytest.param("cifar10", marks=pytest.mark.full)])
def test_a_resume_point_holds_every_variable(eager, tmp_path, dataset):
    """Averages and memory included, which no optimiser knows, and layers that stand in lists."""
    config = tiny.config(dataset)
    trained, resumed = build_model(config), build_model(config)
    side, channels = config.data.side, config.data.channels
    images = np.random.RandomState(0).randint(0, 256, (2, 8, side, side, channels)).astype(np.uint8)
    make_steps(config, trained, 10).iterate(tf.constant(images), 0)
    ResumePoints(tmp_path, checkpoint.state(trained)).save(0, 2)
    points = ResumePoints(tmp_path, checkpoint.state(resumed))
    assert points.restore() and int(points.iteration) == 2
    theirs = checkpoint.variables(resumed)
    for name, value in checkpoint.variables(trained).items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(theirs[name]), err_msg=name)


def test_pictures_hold_64_samples_and_leave_missing_ones_dark():
    picture = samples.sample_picture(np.linspace(0, 1, 20 * 4).reshape(20, 2, 2, 1))
    assert picture.shape == (6, 16, 1) and picture.dtype == np.uint8
    # Place 19 is the last sample, 20 to 23 are empty.
    assert picture[4:, 6:8].max() == 255 and picture[4:, 8:].max() == 0
    assert samples.sample_picture(np.zeros((100, 3, 3, 3))).shape == (24, 24, 3)


def test_a_run_goes_on_only_with_its_own_settings_and_only_unfinished(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, settings = tiny.config(), {"lr": 1}
    logs = tmp_path / "logs/0"
    for stamp, stored in (("2026-01-01", {"lr": 1}), ("2026-01-02", {"lr": 1}), ("2026-01-03", {"lr": 2})):
        files.make_directory(logs / stamp)
        files.write_json(logs / stamp / "settings.json", stored)

    def found(options=Options()):
        return places.found(config, "0", settings, options).name

    assert found() == "2026-01-02"
    files.write_text(logs / "2026-01-02/finished", "")
    assert found() == "2026-01-01"
    assert found(Options(resume="never")).endswith("_MemoryGAN_0.0002")


def test_the_tracker_measures_likelihood_and_prior():
    config = tiny.config()
    model = build_model(config)
    images = np.random.RandomState(0).randint(0, 256, (10, 28, 28, 1)).astype(np.uint8)
    likelihood, prior = record.Tracker(config, model, images).measure()
    # At the start all keys are zero: every similarity is 0, whatever the image.
    np.testing.assert_allclose(likelihood, -1 - 0.5 * np.log(2 * np.pi), rtol=1e-5)
    np.testing.assert_allclose(prior, np.full(config.mem_size, 1 / config.mem_size), rtol=1e-5)
    assert record.Tracker(config, model, None).measure()[0] is None


@pytest.mark.full
@pytest.mark.parametrize("tf1_exact, oldest", [(True, 3 * 103 + 2 * 102), (False, 3 * 103)])
def test_the_originals_summaries_train_the_memory(tmp_path, monkeypatch, tf1_exact, oldest):
    """Ages count the queries. 513 was measured in TF1 after 103 iterations of epochs of one batch; the first is not
    reported."""
    monkeypatch.chdir(tmp_path)
    written.mnist_like(tmp_path / "dataset/fashion", 8, 16)
    config = tiny.config(epoch=104, mem_size=512, tf1_exact=tf1_exact)
    monkeypatch.setattr(record.Record, "save", lambda record, epoch: None)
    states = []
    monkeypatch.setattr(checkpoint, "state", lambda model: states.append(model.memory) or {"memory": model.memory})
    train.run(config, Command())
    assert int(states[0].state().ages.numpy().max()) == oldest
    directory, = (tmp_path / "logs/0").iterdir()
    events = EventAccumulator(str(directory)).Reload()
    assert [point.step for point in events.Scalars("mem_real_rate")] == list(range(3, 105))
    assert set(events.Tags()["images"]) == {"fake_images/image/0", "real_images/image/0"}
