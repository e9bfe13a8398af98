"""Generation and its metrics."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib import pictures, randomness
from lib.classifiers import inception, pretrained
from lib.errors import UserError
from memorygan import checkpoint, evaluate, samples
from memorygan.config import Measured
from memorygan.noise import draw_slots
from memorygan.step import build_model
from tests.memorygan import tiny


@pytest.fixture
def model():
    config = tiny.config()
    model = build_model(config)
    state = model.memory.state()
    keys = tf.math.l2_normalize(tf.random.stateless_normal(state.keys.shape, [1, 2]), axis=1)
    model.memory.assign(state._replace(keys=keys, histogram=tf.ones([64])))
    return model


def test_generated_images_are_counted_and_reproducible(model):
    config = tiny.config()
    first = list(samples.generated(config, model, 20))
    assert [len(batch) for batch in first] == [8, 8, 4]
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(list(samples.generated(config, model, 20))))
    assert len({image.tobytes() for image in np.concatenate(first)}) == 20


def test_an_image_does_not_depend_on_its_batch(model):
    """Moving statistics, as in the original's test mode."""
    config = tiny.config()
    sampler = samples.Sampler(config, model, training=False)
    latent, images = sampler.draw("alone", 0)
    again = model.networks.generator(tf.concat([latent[:1], _keys_of(config, model)[:1]], axis=1)).values
    np.testing.assert_allclose(images[:1], again, rtol=1e-5, atol=1e-6)


def _keys_of(config, model):
    state = model.memory.state()
    return tf.gather(state.keys, draw_slots(config, state, randomness.key(config.seed, "alone/slots", 0)))


def test_samples_are_written_as_one_numpy_array(tmp_path):
    batches = [np.full((3, 2, 2, 1), k, np.float32) for k in range(4)]
    evaluate.write_samples(tmp_path / "samples.npy", iter(batches), (12, 2, 2, 1))
    np.testing.assert_array_equal(np.load(tmp_path / "samples.npy", allow_pickle=False), np.concatenate(batches))
    assert [path.name for path in tmp_path.iterdir()] == ["samples.npy"]


def test_samples_of_an_absolute_or_climbing_path_stay_below_samples():
    assert evaluate.samples_directory(Path("checkpoint/0/run")) == Path("samples/checkpoint/0/run")
    assert evaluate.samples_directory(Path("/data/run")) == Path("samples/data/run")
    assert evaluate.samples_directory(Path("../run")) == Path("samples/run")


def test_memory_use_of_known_states(model):
    use = evaluate.memory_use(model)
    # Half of the slots are real, all equally probable.
    assert use["slots_written"] == 1.0 and use["slots_real"] == 0.5
    np.testing.assert_allclose(use["slots_sampled_effectively"], 0.5, rtol=1e-6)
    state = model.memory.state()
    model.memory.assign(state._replace(keys=tf.zeros_like(state.keys), histogram=tf.one_hot(3, 64)))
    use = evaluate.memory_use(model)
    assert use["slots_written"] == 0.0
    np.testing.assert_allclose(use["slots_sampled_effectively"], 1 / 64, rtol=1e-6)


def test_cifar10_is_judged_by_a_named_substitute_where_inception_cannot_be_had(monkeypatch, capsys):
    def unreachable(weights):
        raise UserError("no network")

    def judge(batch, training):
        return tf.one_hot(np.arange(len(batch)) % 10, 10) * 50.0

    monkeypatch.setattr(inception, "probabilities", unreachable)
    monkeypatch.setattr(pretrained, "judge_of", lambda *arguments: judge)
    monkeypatch.setattr(evaluate, "_labelled", lambda *arguments: None)
    config = tiny.config("cifar10")
    images = np.zeros((100, 32, 32, 3), np.float32)
    result = evaluate.Scorer(config, "").score(images)
    # Every split of ten images has all ten classes once: the highest score there is.
    np.testing.assert_allclose(result["inception_score"], 10.0, rtol=1e-4)
    assert result["classifier"] == "small CIFAR10 ResNet" and "no network" in capsys.readouterr().out
    with pytest.raises(UserError, match="no network"):
        evaluate.Scorer(config, "", "given.h5")


def test_every_checkpoint_of_a_run_is_scored_in_the_order_of_the_epochs(tmp_path, model):
    """They differ in the brightness of their images."""
    config = tiny.config()
    for epoch, bias in ((10, 2.0), (9, -2.0)):
        model.networks.generator.trainable_variables[-1].assign([bias])
        checkpoint.write(tmp_path / f"model-{epoch}", model)
    seen = []

    class Scorer:
        def score(self, images):
            seen.append(images)
            return {"inception_score": float(len(seen))}

    scores = evaluate.scores_by_epoch(config, tmp_path, Scorer(), 12)
    assert evaluate.score_by_epoch({"by_epoch": scores}) == {9: 1.0, 10: 2.0}
    assert [len(images) for images in seen] == [12, 12] and seen[0].max() < 0.2 and seen[1].min() > 0.8


def test_scores_of_every_epoch_need_the_score():
    with pytest.raises(UserError, match="--every_epoch measures the inception score"):
        Measured(every_epoch=True, inception_score=False)


def test_generated_pixels_cover_the_range_of_real_ones():
    for config, ends in ((tiny.config(), [0.0, 1.0]), (tiny.config("cifar10"), [-1.0, 1.0])):
        np.testing.assert_allclose(pictures.float_pixels(np.array(ends), config.data.unit_range), [0, 255])
