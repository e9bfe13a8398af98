"""Programs on two logical CPU devices or under two workers: devices are set up once in a process, so in their own.

A system's `on_two_devices.py` has `steps`, which compares steps with one device's, and `train DIRECTORY STRATEGY`.
"""

import signal

import numpy as np
import tensorflow as tf

from tests import process


def split_cpu(strategy: str) -> None:
    """Make two devices of it, unless there are two workers."""
    if strategy != "multi_worker":
        cpu, = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def starter(launch, program: str):
    """Starts `python -m program`, as `start(*arguments)` or, with `workers`, as so many under lib.workers."""
    def start(*arguments, workers: int = 0):
        launcher = ["-m", "lib.workers", str(workers)] if workers else []
        return launch(process.ROOT).start([*launcher, "-m", program, *map(str, arguments)])

    return start


def passed(started) -> str:
    out, problems = started.communicate(timeout=1800)
    assert started.returncode == 0, problems[-3000:]
    return out


def stop_at(started, sign: str) -> None:
    """Tell it to end once a line that begins so is printed, and see it do so."""
    next(line for line in started.stdout if line.startswith(sign))
    started.send_signal(signal.SIGTERM)
    _, problems = started.communicate(timeout=1800)
    assert started.returncode == 128 + signal.SIGTERM, problems[-3000:]


def assert_equal_checkpoints(one, other) -> None:
    """Two prefixes, bit for bit."""
    ours, theirs = (tf.train.load_checkpoint(str(prefix)) for prefix in (one, other))
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    for variable in ours.get_variable_to_shape_map():
        np.testing.assert_array_equal(ours.get_tensor(variable), theirs.get_tensor(variable), err_msg=variable)


def assert_equal_on_all(strategy: tf.distribute.Strategy, variables) -> None:
    """Keras variables, on both replicas, bit for bit."""
    for variable in variables:
        first, second = strategy.experimental_local_results(variable.value)
        np.testing.assert_array_equal(first, second, err_msg=variable.path)


def assert_close(ours, theirs, tolerance: float, name: str = "", rounding: float = 0.0) -> None:
    """Arrays, to a share of the largest value; `rounding`: what may differ in any case."""
    for one, two in zip(ours, theirs, strict=True):
        one, two = np.asarray(one), np.asarray(two)
        small = tolerance * np.abs(one).max() + rounding
        np.testing.assert_allclose(two, one, rtol=tolerance, atol=small, err_msg=name)
