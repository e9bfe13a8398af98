"""The precision that `auto` picks, without having the devices."""

import pytest

from lib import device


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
    assert device.prepare().startswith("device: ")
