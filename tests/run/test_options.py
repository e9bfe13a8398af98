"""Periods, as --checkpoint_every takes them."""

import pytest

from lib.run.options import Period


@pytest.mark.parametrize("text, period", [
    ("300", Period(300.0, "s")), ("0.5s", Period(0.5, "s")), ("0", Period(0.0, "s")), ("100it", Period(100, "it"))])
def test_periods(text, period):
    assert Period.parse(text) == period == Period.parse(str(period))


@pytest.mark.parametrize("text", ["", "soon", "-1", "0it", "1.5it", "it", "nan", "inf", "1e3", "5 it"])
def test_what_is_no_period(text):
    with pytest.raises(ValueError, match="100it"):
        Period.parse(text)


def test_the_end_of_a_period():
    every_third = Period(3, "it")
    assert [i for i in range(10) if every_third.ends_after(i, 0.0)] == [2, 5, 8]
    assert not Period(3.0).ends_after(2, 2.5) and Period(3.0).ends_after(0, 3.5)
