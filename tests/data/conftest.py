"""Data of the tests of reading."""

import os
import pathlib

import pytest


@pytest.fixture
def real_data():
    """The folder of real data sets that the environment names."""
    folder = os.environ.get("MRG_DATA")
    if not folder:
        pytest.skip("MRG_DATA names no folder with real data")
    return pathlib.Path(folder)
