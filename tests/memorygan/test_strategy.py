"""Several devices and workers: runs go on where they stopped; what cannot be shared is refused."""

from pathlib import Path

import pytest

from lib import files
from lib.errors import UserError
from lib.run import replicas
from tests import written
from tests.several_devices import assert_equal_checkpoints, passed, starter, stop_at


@pytest.fixture
def start(launch):
    return starter(launch, "tests.memorygan.on_two_devices")


def place_in(directory: Path) -> Path:
    written.mnist_like(directory / "dataset/fashion", 40, 16)
    return directory


def run_in(directory: Path) -> Path:
    """What names the only run there."""
    found, = (directory / "logs/0").iterdir()
    assert files.read_json(found / "settings.json", dict)["replicas"] == 2 and (found / "finished").exists()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("strategy, workers", [("mirrored", 0), ("multi_worker", 2)])
def test_a_stopped_run_goes_on_to_the_very_same_weights(start, tmp_path, strategy, workers):
    straight, stopped = (place_in(tmp_path / name) for name in ("straight", "stopped"))
    passed(start("train", straight, strategy, workers=workers))
    stop_at(start("train", stopped, strategy, workers=workers), "[Epoch 3]")
    assert "Load SUCCESS" in passed(start("train", stopped, strategy, workers=workers))
    prefixes = [base / "checkpoint/0" / run_in(base).name / "model-4" for base in (straight, stopped)]
    assert_equal_checkpoints(*prefixes)
    assert [path.name for path in (stopped / "samples/0").glob("*/samples_4.npy")] == ["samples_4.npy"]


def test_batches_that_cannot_be_shared_are_refused():
    with pytest.raises(UserError, match="64 images cannot be shared by 3 devices"):
        replicas.require_equal_shares(64, 3)
