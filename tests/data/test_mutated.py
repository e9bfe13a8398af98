"""Mutated files of every format: success or one line, in bounded time and memory."""

import json

import pytest

from tests import process
from tests.data.mutated import FORMATS


def check(launch, count, seed, *formats, module="tests.data.mutated"):
    output = process.passed(launch(process.ROOT).run(["-m", module, str(count), str(seed), *formats], timeout=600))
    results = [json.loads(line) for line in output.splitlines()]
    assert [result["format"] for result in results] == list(formats)
    for result in results:
        assert result["others"] == []
        assert result["read"] + result["refused"] == count
        assert result["refused"] > count / 4  # the changes do reach what matters
        assert result["seconds"] < 10
        assert result["memory"] < 1 << 30


def test_fifty_mutations_of_every_format(launch):
    check(launch, 50, 1, *FORMATS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_thousand_mutations(launch, kind):
    check(launch, 1000, 2, kind)
