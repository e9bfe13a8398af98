"""Other programs' settings change nothing here: Keras' file and variables, and a notebook that imported Keras first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lib

ROOT = Path(__file__).parent.parent
STATE = ("import lib, keras; print(keras.config.backend(), keras.config.floatx(), keras.config.epsilon(), "
         "keras.config.image_data_format(), keras.config.max_epochs())")
EXPECTED = "tensorflow float32 1e-07 channels_last None\n"


def said(code: str, environment: dict) -> tuple[str, str]:
    """What a process prints on standard output, and its notes on standard error."""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment},
                           capture_output=True, text=True)
    return ended.stdout, "".join(line for line in ended.stderr.splitlines(True) if line.startswith("note"))


@pytest.mark.full
@pytest.mark.parametrize("stored", [
    {"image_data_format": "channels_first"}, {"floatx": "float64", "epsilon": 1e-3}, {"backend": "torch"}])
def test_a_keras_file_of_another_program_is_set_aside(tmp_path, stored):
    (tmp_path / "keras.json").write_text(json.dumps(stored))
    out, notes = said(STATE, {"KERAS_HOME": str(tmp_path), "HOME": str(tmp_path)})
    assert out == EXPECTED
    assert all(name in notes for name in stored if name != "backend")


@pytest.mark.full
def test_keras_variables_of_another_program_are_set_aside(tmp_path):
    out, notes = said(STATE, {"KERAS_BACKEND": "torch", "KERAS_MAX_EPOCHS": "1", "KERAS_HOME": str(tmp_path)})
    assert out == EXPECTED
    assert notes == "note: KERAS_BACKEND=torch does not apply here\nnote: KERAS_MAX_EPOCHS does not apply here\n"


@pytest.mark.full
def test_a_notebook_that_set_keras_up_otherwise_computes_as_ever(tmp_path):
    before = "import keras; keras.config.set_floatx('float64'); keras.config.set_image_data_format('channels_first'); "
    assert said(before + STATE, {"KERAS_HOME": str(tmp_path)})[0] == EXPECTED


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"floatx": "float32"}'])
def test_a_keras_file_that_says_nothing_else_is_left_alone(tmp_path, content):
    (tmp_path / "keras.json").write_text(content)
    assert lib._departures(str(tmp_path / "keras.json")) == []
    assert lib._departures(str(tmp_path / "none.json")) == []
