"""Checkpoints in both directions: TF1 programs read ours, we read theirs, misfits are refused by name."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lib.errors import UserError
from memorygan import checkpoint
from memorygan.step import build_model, make_steps
from tests.memorygan import tiny

FIGURES = Path(__file__).parents[1] / "golden/figures"
# The sizes of the small checkpoints that TF 1.4 wrote.
SIZES = dict(batch_size=4, f_dim=4, fc_dim=12, mem_size=16, key_dim=8, choose_k=8)


def tf1_list(case: str) -> dict[str, list]:
    """{name: shape} of a checkpoint of the original."""
    document = json.loads((FIGURES / "memorygan_checkpoint.json").read_text())["cases"][case]
    shapes = {name.removeprefix(f"{case}/"): record["shape"] for name, record in document["records"].items()}
    shapes |= {name.removeprefix(f"{case}/"): [] for name in document["scalars"]}
    return {name: shape for name, shape in shapes.items() if name not in ("test_generate", "test_q")}


def in_a_tf1_graph(case: str, use):
    """Declare the original's variables in a graph and let `use(saver, session, variables)` work with them."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {}
        for name, shape in tf1_list(case).items():
            dtype = tf.int32 if name == "Variable" else tf.float32
            variables[name] = v1.get_variable(name, shape, dtype, v1.random_uniform_initializer(0, 9, dtype=dtype)
                                              if name == "Variable" else v1.random_uniform_initializer(0.1, 0.9),
                                              use_resource=False)
        session.run(v1.global_variables_initializer())
        return use(v1.train.Saver(variables), session, variables)


@pytest.mark.parametrize("case", ["fashion", pytest.param("cifar10", marks=pytest.mark.full)])
def test_a_tf1_saver_restores_what_we_write(eager, tmp_path, case):
    config = tiny.config(case, **SIZES)
    model = build_model(config)
    side, channels = config.data.side, config.data.channels
    images = np.random.RandomState(0).randint(0, 256, (2, 4, side, side, channels)).astype(np.uint8)
    make_steps(config, model, 10).iterate(tf.constant(images), 0)
    checkpoint.write(tmp_path / "model-3", model)

    def read(saver, session, variables):
        saver.restore(session, tf.train.latest_checkpoint(str(tmp_path)))
        return session.run(variables)

    restored, ours = in_a_tf1_graph(case, read), checkpoint.variables(model)
    assert restored.keys() == ours.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(restored[name], np.asarray(value), err_msg=name)
    assert restored["Variable"] == 4
    np.testing.assert_allclose(restored["beta2_power"], config.beta2**3, rtol=1e-6)


def test_we_restore_what_a_tf1_saver_writes_wherever_it_is_moved(tmp_path):
    (tmp_path / "there").mkdir()

    def write(saver, session, variables):
        saver.save(session, str(tmp_path / "there/model-7"))
        return session.run(variables)

    written = in_a_tf1_graph("fashion", write)
    shutil.move(tmp_path / "there", tmp_path / "elsewhere")
    config = tiny.config(**SIZES)
    model = build_model(config)
    checkpoint.restore(checkpoint.latest(tmp_path / "elsewhere"), model)
    for name, value in checkpoint.variables(model).items():
        if "_power" not in name:  # random numbers are no powers of beta
            np.testing.assert_array_equal(np.asarray(value), written[name], err_msg=name)


@pytest.mark.parametrize("changes, complaint", [
    ({"mem_size": 32}, r"memkeys is \[16, 8\] there, \[32, 8\] here"),
    ({"dataset": "affmnist"}, "missing d_/Conv_4/"),
    ({"model": "GAN"}, "unknown mem")])
def test_a_checkpoint_of_something_else_is_refused_by_name(changes, complaint):
    model = build_model(tiny.config(**{"dataset": "fashion", **SIZES, **changes}))
    before = [variable.numpy() for network in model.networks for variable in network.variables]
    with pytest.raises(UserError, match=complaint):
        checkpoint.restore(checkpoint.latest(FIGURES / "memorygan_checkpoint_fashion"), model)
    for variable, value in zip((v for network in model.networks for v in network.variables), before):
        np.testing.assert_array_equal(variable, value)


def test_missing_and_damaged_checkpoints_are_refused(tmp_path):
    with pytest.raises(UserError, match="no checkpoint in"):
        checkpoint.latest(tmp_path)
    for path in (FIGURES / "memorygan_checkpoint_fashion").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data_file = tmp_path / "model-7.data-00000-of-00001"
    data_file.write_bytes(data_file.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        checkpoint.restore(checkpoint.latest(tmp_path), build_model(tiny.config(**SIZES)))
    (tmp_path / "model-7.index").unlink()
    with pytest.raises(UserError, match="model-7.index is not there"):
        checkpoint.latest(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00" * 1000, b"model_checkpoint_path: 7", b"", b'other: "a"'])
def test_a_state_file_that_is_something_else_is_named(tmp_path, content):
    (tmp_path / "checkpoint").write_bytes(content)
    with pytest.raises(UserError, match="checkpoint"):
        checkpoint.latest(tmp_path)


def test_a_pipe_is_no_state_file(tmp_path):
    os.mkfifo(tmp_path / "checkpoint")
    with pytest.raises(UserError, match="it is no file"):
        checkpoint.latest(tmp_path)


@pytest.mark.full
def test_training_goes_on_exactly_from_a_checkpoint(tmp_path):
    config = tiny.config(**SIZES, lr_decay=True)
    images = tf.constant(np.random.RandomState(0).randint(0, 256, (4, 4, 28, 28, 1)).astype(np.uint8))
    straight, resumed = build_model(config), build_model(config)
    steps = make_steps(config, straight, 10)
    steps.iterate(images[:2], 0)
    checkpoint.write(tmp_path / "model-1", straight)
    steps.iterate(images[2:], 2)
    checkpoint.restore(tmp_path / "model-1", resumed)
    make_steps(config, resumed, 10).iterate(images[2:], 2)
    theirs = checkpoint.variables(resumed)
    for name, value in checkpoint.variables(straight).items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(theirs[name]), err_msg=name)
