"""Mutated checkpoints and resume points: what was written or one line, in bounded time and memory."""

import pytest

from tests.data.test_mutated import check
from tests.mutated_checkpoints import FORMATS

MODULE = "tests.mutated_checkpoints"


def test_fifty_mutations_of_every_file(launch):
    check(launch, 50, 1, *FORMATS, module=MODULE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_a_thousand_mutations(launch, kind):
    check(launch, 1000, 2, kind, module=MODULE)
