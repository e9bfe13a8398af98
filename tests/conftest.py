"""What all tests share: the tiers, one thread for each process, and what is made once per session."""

import os
import pathlib

for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")  # before TensorFlow: the processes of pytest-xdist share the cores
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402

from lib import device  # noqa: E402
from tests import process, written  # noqa: E402
from tests.shared import once  # noqa: E402

device.set_up()  # on a GPU: all of float32, as the golden figures ask for, and memory for all processes


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes seconds, or starts processes; `make test-full`")
    config.addinivalue_line("markers", "slow: takes minutes; `make test-slow`")


def pytest_collection_modifyitems(items):
    """Whoever starts processes is in the second tier, but for every program's one run from end to end."""
    for item in items:
        if "launch" in getattr(item, "fixturenames", ()) and item.path.name != "test_end_to_end.py":
            item.add_marker(pytest.mark.full)


@pytest.fixture(scope="session")
def launch():
    """Makes of a directory a place where programs are started; whoever asks for it is a test with processes."""
    return process.Place


@pytest.fixture
def place(launch, tmp_path) -> process.Place:
    return launch(tmp_path)


@pytest.fixture
def here(tmp_path) -> process.Place:
    """A place where programs are called only (`Place.call`), not started."""
    return process.Place(tmp_path)


@pytest.fixture
def eager():
    """Operation by operation, which takes less time than tracing where few iterations are only a means."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def real_data():
    """The folder of real data sets that the environment names."""
    folder = os.environ.get("MRG_DATA")
    if not folder:
        pytest.skip("MRG_DATA names no folder with real data")
    return pathlib.Path(folder)


@pytest.fixture
def real_mnist(real_data):
    """The same where real MNIST lies in it."""
    if not (real_data / "mnist").is_dir():
        pytest.skip("MRG_DATA names no folder with mnist/")
    return real_data


@pytest.fixture(scope="session")
def fashion(tmp_path_factory):
    """A data directory with 40 and 20 images of Fashion-MNIST's kind, where memoryGAN and the Lifelong VAE look."""
    def make(directory):
        written.mnist_like(directory / "fashion", 40, 20)
        (directory / "Fashion_data").symlink_to("fashion")

    return once(tmp_path_factory, "fashion", make)
