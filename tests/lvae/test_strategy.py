"""Several devices and workers: runs go on where they stopped, forks between; what cannot be shared is refused."""

from pathlib import Path

import pytest

from lib import files
from lib.errors import UserError
from lvae import train
from lvae.config import make_config
from tests.several_devices import assert_equal_checkpoints, passed, starter, stop_at


@pytest.fixture
def start(launch):
    return starter(launch, "tests.lvae.on_two_devices")


def models(base: Path) -> list[Path]:
    found = sorted(path.with_suffix("") for path in base.glob("experiment_0/models/*.index"))
    assert len(found) == 2 and not (base / "experiment_1").exists()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("strategy, workers", [("mirrored", 0), ("multi_worker", 2)])
def test_a_stopped_run_goes_on_to_the_very_same_weights(start, tmp_path, strategy, workers):
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    passed(start("train", straight, strategy, workers=workers))
    stop_at(start("train", stopped, strategy, workers=workers), "loss[total_iter=15]")  # after the fork
    assert "resuming" in passed(start("train", stopped, strategy, workers=workers))
    for one, other in zip(models(straight), models(stopped), strict=True):
        assert_equal_checkpoints(one, other)
    assert files.read_json(stopped / "experiment_0/settings.json", dict)["replicas"] == 2


@pytest.mark.parametrize("settings, devices, said", [
    ({}, 3, "100 images cannot be shared by 3 devices"),
    ({"batch_size": 8}, 8, "4 replayed images of a batch are fewer than 8 devices")])
def test_what_cannot_be_shared_is_refused(settings, devices, said):
    with pytest.raises(UserError, match=said):
        train._check_shares(make_config("digits", sequential=True, **settings), devices)
