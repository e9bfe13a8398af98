"""Mutated files of every format: success or one line, in bounded time and memory."""

import json
import pathlib
import subprocess
import sys

import pytest

from tests.data.mutated import FORMATS

ROOT = pathlib.Path(__file__).parents[2]


def check(count, seed, *formats, module="tests.data.mutated"):
    ended = subprocess.run([sys.executable, "-m", module, str(count), str(seed), *formats],
                           capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [result["format"] for result in results] == list(formats)
    for result in results:
        assert result["others"] == []
        assert result["read"] + result["refused"] == count
        assert result["refused"] > count / 4  # the changes do reach what matters
        assert result["seconds"] < 10
        assert result["memory"] < 1 << 30


def test_fifty_mutations_of_every_format():
    check(50, 1, *FORMATS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_thousand_mutations(kind):
    check(1000, 2, kind)
