"""Runs that an earlier version of this program began go on: `old/` holds what its commit 8802b60 wrote.

Of MeRGAN only the index of a resume point, of the Lifelong VAE only names and shapes: their values are megabytes.
"""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib.mergan.config import make_config as mergan_config
from lib.mergan.train import Training
from lib.run import place
from lib.run.resume import ResumePoints
from lvae.config import make_config as lvae_config
from lvae.learner import Learner
from lvae.places import settings_of
from memorygan import checkpoint
from memorygan.step import build_model
from tests.memorygan import tiny

OLD = Path(__file__).with_name("old")
MERGAN = {"ra": dict(first_tasks=1, replay_alignment=True, joint_replay=True, consolidation=True, fisher="batches",
                     fisher_of="all"),
          "dgr": dict(first_tasks=1, generative_replay=True), "joint": dict(joint=True)}


def stored(folder: str) -> dict:
    return json.loads((OLD / folder / "settings.json").read_text())


def contents(prefix: Path) -> dict[str, tuple]:
    """{key: (shape, type)} of a checkpoint by its index."""
    reader = tf.train.load_checkpoint(str(prefix))
    types = reader.get_variable_to_dtype_map()
    # The graph of objects is of the process that wrote it.
    return {key: (shape, types[key]) for key, shape in reader.get_variable_to_shape_map().items()
            if key != "_CHECKPOINTABLE_OBJECT_GRAPH"}


@pytest.mark.parametrize("method", MERGAN)
def test_a_run_of_mergan(tmp_path, method):
    config = mergan_config(dataset="digits", iterations=1, learning_rate=0, **MERGAN[method])
    assert place.as_stored({"system": "MeRGAN", **config.as_settings(), "load_model": ""}) == stored(f"mergan_{method}")
    ResumePoints(tmp_path, Training(config, jit=False, strategy=None).state).save(1, 0)
    assert contents(tmp_path / "resume/ckpt-1") == contents(OLD / f"mergan_{method}/resume/ckpt-1")


def test_a_run_of_memorygan(tmp_path):
    shutil.copytree(OLD / "memorygan", tmp_path, dirs_exist_ok=True)
    config = tiny.config(epoch=2)
    settings = {"system": "memoryGAN", **config.as_settings(), "load_cp_dir": ""}
    assert place.as_stored(settings) == stored("memorygan")
    model = build_model(config)
    points = ResumePoints(tmp_path, checkpoint.state(model))
    assert points.restore() and int(points.phase) == 1
    reader = tf.train.load_checkpoint(str(OLD / "memorygan/resume/ckpt-1"))
    written = [reader.get_tensor(key) for key in reader.get_variable_to_shape_map() if key.startswith("memory/")]
    keys = model.memory.state().keys.numpy()
    assert np.any(keys) and any(np.array_equal(keys, value) for value in written)


def test_a_run_of_the_lifelong_vae():
    settings = dict(sequential=True, batch_size=4, latent_size=2, min_interval=1, max_dist_swaps=2, test_interval=0)
    config = lvae_config("fashion_dnn", **settings)
    assert settings_of(config, "") == stored("lvae")
    old = json.loads((OLD / "lvae/resume.json").read_text())
    random = np.random.RandomState(0)
    arrays = {name: random.standard_normal(shape) for name, shape in old["arrays"].items()}
    arrays["standing"] = np.array(json.dumps(old["standing"]))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    learner = Learner(config, jit=False)
    learner.deserialize(buffer.getvalue())
    assert learner.visited == [0, 1] and len(learner.results) == 1
    with np.load(io.BytesIO(learner.serialize())) as again:
        assert {name: list(again[name].shape) for name in again.files} == old["arrays"]
        assert json.loads(str(again["standing"])) == old["standing"]
        np.testing.assert_allclose(again["student/3"], arrays["student/3"], rtol=1e-6)
