"""Every golden file beside this test comes out of the port."""

import pathlib

import pytest

from tests.golden import records, registry

FIGURES = sorted(pathlib.Path(__file__).with_name("figures").glob("*.json"))

# Files that take more than a minute on two cores.
SLOW = frozenset({"mergan_training", "mergan_training_float64", "mergan_losses_lsun", "mergan_joint_replay",
                  "mergan_replay_float64"})


def _parameter(path: pathlib.Path):
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])


@pytest.mark.parametrize("path", [_parameter(path) for path in FIGURES])
def test_file(path):
    groups = registry.check(records.read(path))
    assert not [failure for group in groups for failure in group.failures]
