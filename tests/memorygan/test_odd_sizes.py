"""Checkpoints of memoryGANs that are not of the data set's own sizes, as a plain TF1 `Saver` writes them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lib import tf1
from lib.tf1 import __main__ as tool
from lib.tf1 import models
from memorygan import checkpoint
from memorygan.config import make_config
from memorygan.step import build_model
from tests import tf1_program
from tests.process import passed

ODD = {"z_dim": 3, "f_dim": 4, "fc_dim": 6, "mem_size": 20, "key_dim": 5, "choose_k": 4}


def odd_values(dataset: str = "fashion") -> dict[str, np.ndarray]:
    model = build_model(make_config(dataset, **ODD))
    return {name: np.asarray(variable) for name, variable in checkpoint.variables(model).items()}


@pytest.mark.parametrize("dataset", ["fashion", pytest.param("affmnist", marks=pytest.mark.full),
                                     pytest.param("cifar10", marks=pytest.mark.full)])
def test_sizes_follow_from_the_variables(dataset):
    values = odd_values(dataset)
    assert models.recognise(values) == f"memorygan-{dataset}"
    built = models.build(f"memorygan-{dataset}", values).variables
    assert {name: tuple(variable.shape) for name, variable in built.items()} == {
        name: value.shape for name, value in values.items()}


@pytest.mark.full
def test_listed_and_converted_with_a_counter_that_is_nobodys(tmp_path, capsys):
    values = odd_values()
    tf1_program.save(tmp_path / "model-1", values | {"global_step": np.int64(7)})
    assert tool.main(["list", str(tmp_path / "model-1")]) == 0
    assert "70 variables of memorygan-fashion" in capsys.readouterr().out
    keras, back = str(tmp_path / "keras"), str(tmp_path / "back")
    assert tool.main(["convert", str(tmp_path / "model-1"), keras, "--model", "memorygan-fashion"]) == 0
    assert "passed over global_step" in capsys.readouterr().err
    assert tool.main(["convert", keras, back, "--model", "memorygan-fashion", "--like", str(tmp_path / "model-1")]) == 0
    np.testing.assert_array_equal(tf1.read(back)["g_/fully_connected/weights"], values["g_/fully_connected/weights"])


@pytest.mark.full
def test_evaluated_and_drawn(here, fashion):
    tf1_program.save(here.path / "pretrained/model-1", odd_values())
    sizes = " ".join(f"--{name}={value}" for name, value in ODD.items())
    passed(here.call(f"memorygan/run.py --is_train=False --load_cp_dir=pretrained --data_dir={fashion} {sizes} "
                     "--batch_size=8 --samples=16 --inception_score=False"))
    written = here.path / "samples/pretrained"
    assert np.load(written / "samples_gen_0.npy").shape == (16, 28, 28, 1)
    assert 0 <= json.loads((written / "metrics.json").read_text())["memory"]["slots_real"] <= 1
    assert {"samples_gen_0.png", "posterior.png", "nearest.png"} <= {path.name for path in written.iterdir()}


def test_import_meta_graph_restores_what_we_write(tmp_path):
    model = build_model(make_config("fashion", **ODD))
    checkpoint.write(tmp_path / "model-1", model)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(str(tmp_path / "model-1.meta")).restore(session, str(tmp_path / "model-1"))
        found = session.run({variable.op.name: variable for variable in v1.global_variables()})
    ours = checkpoint.variables(model)
    assert found.keys() == ours.keys()
    for name, variable in ours.items():
        np.testing.assert_array_equal(found[name], np.asarray(variable), err_msg=name)
    before = (tmp_path / "model-1.meta").read_bytes()
    checkpoint.write(tmp_path / "model-1", model)
    assert (tmp_path / "model-1.meta").read_bytes() == before


def test_a_checkpoint_of_the_old_format_is_named_as_such(tmp_path, capsys):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("w", initializer=tf.constant([1.0]), use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver(write_version=v1.train.SaverDef.V1).save(session, str(tmp_path / "old"), write_meta_graph=False)
    assert tool.main(["list", str(tmp_path / "old")]) == 2
    assert "V1 format" in capsys.readouterr().err
