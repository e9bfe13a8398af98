"""Every golden file beside this test comes out of the port."""

import pathlib

import pytest

from tests.golden import records, registry

FIGURES = sorted(pathlib.Path(__file__).with_name("figures").glob("*.json"))

# Files that take minutes on two cores.
SLOW = frozenset()


def _parameter(path: pathlib.Path):
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])


@pytest.mark.parametrize("path", [_parameter(path) for path in FIGURES])
def test_file(path):
    groups = registry.check(records.read(path))
    assert not [failure for group in groups for failure in group.failures]
