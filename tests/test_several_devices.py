"""Two logical devices compute what one computes, in each system; its `on_two_devices.py` says what is compared."""

import pytest

from lib.systems import SYSTEMS
from tests.several_devices import passed, starter


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_replicas_step_as_one_device(launch, system):
    start = starter(launch, f"tests.{system}.on_two_devices")
    assert "mirrored over /device:CPU:0, /device:CPU:1" in passed(start("steps"))
