"""What `auto` picks, without having the devices."""

import pytest
import tensorflow as tf

from lib import device
from lib.errors import UserError


@pytest.mark.parametrize("capability, policy", [
    (None, "float32"), ((6, 1), "float32"), ((7, 0), "mixed_float16"), ((7, 5), "mixed_float16"),
    ((8, 0), "mixed_bfloat16"), ((9, 0), "mixed_bfloat16")])
def test_auto_takes_what_the_device_is_made_for(monkeypatch, capability, policy):
    monkeypatch.setattr(device, "_compute_capability", lambda: capability)
    assert device.precision("auto") == policy


@pytest.mark.parametrize("name", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_named_precision_is_taken_as_it_is(name):
    assert device.precision(name) == name


def test_without_a_gpu_the_cpu_is_named():
    assert device.set_up().startswith("device: ")


def test_float32_is_all_of_float32_on_a_gpu():
    tf.config.experimental.enable_tensor_float_32_execution(True)
    device.set_up()
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize("choice, on_gpu, decided, said", [
    ("auto", False, False, "jit: off (auto: on a CPU XLA is slower)"), ("auto", True, True, "jit: on (auto: on a GPU)"),
    ("on", False, True, "jit: on"), ("off", True, False, "jit: off")])
def test_jit_is_decided_aloud(monkeypatch, capsys, choice, on_gpu, decided, said):
    monkeypatch.setattr(device, "_on_gpu", lambda: on_gpu)
    assert device.jit(choice) == decided
    assert capsys.readouterr().out == said + "\n"


def test_xla_and_a_strategy_exclude_each_other(capsys):
    assert not device.jit("auto", distributed=True) and capsys.readouterr().out == "jit: off (not with --strategy)\n"
    with pytest.raises(UserError, match="--jit=on"):
        device.jit("on", distributed=True)


def test_where_computations_land():
    with tf.device("/cpu:0"):
        assert not device._on_gpu()


def test_what_xla_compiles():
    """Text is beyond XLA."""
    assert device.compiled(tf.strings.as_string, False)(tf.constant(1)) == b"1"
    with pytest.raises(tf.errors.InvalidArgumentError):
        device.compiled(tf.strings.as_string, True)(tf.constant(1.0))
