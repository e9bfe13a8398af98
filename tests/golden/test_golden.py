"""Every case of every golden file beside this test comes out of the port."""

import fnmatch
import pathlib
import re

import pytest

from tests.golden import records, registry, tiers

FIGURES = sorted(pathlib.Path(__file__).with_name("figures").glob("*.json"))
NAMES = [(path, case) for path in FIGURES for case in registry.cases(records.read(path))]


def _parameter(path: pathlib.Path, case: str):
    name = f"{path.stem}::{case}"
    marker = tiers.tier(name)
    return pytest.param(path, case, id=name, marks=[getattr(pytest.mark, marker)] if marker else [])


# A case's name first: what a float32 file and its float64 sibling have in common is then computed once.
@pytest.mark.parametrize("path, case", [_parameter(*name) for name in sorted(NAMES, key=lambda name: name[::-1])])
def test_case(path, case):
    groups = registry.check(records.read(path), case)
    assert not [failure for group in groups for failure in group.failures]


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_every_record_belongs_to_a_case(path):
    assert registry.strays(records.read(path)) == []


def _topic(path: pathlib.Path) -> str:
    """Files of several data sets, or of dense and convolutional networks, are of one topic."""
    return re.sub(r"_(mnist|svhn|lsun|cnn)$", "", path.stem)


@pytest.mark.parametrize("topic", sorted(set(map(_topic, FIGURES))))
def test_every_topic_has_a_case_in_the_first_tier(topic):
    assert None in {tiers.tier(f"{path.stem}::{case}") for path, case in NAMES if _topic(path) == topic}


@pytest.mark.parametrize("pattern", tiers.FAST + tiers.SLOW)
def test_every_pattern_of_the_tiers_is_of_some_case(pattern):
    assert fnmatch.filter([f"{path.stem}::{case}" for path, case in NAMES], pattern)
