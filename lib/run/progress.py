"""How fast a run is and when all of it will be done, for the line of a log point."""

import time

from lib.run.cost import duration

_BUILDING = 2  # log points at which graphs are still built
_LEAST = 10  # iterations between two lines


class Progress:
    """By the clock, with all that happens between iterations."""

    def __init__(self):
        self._points = 0
        self._first: tuple[int, float] | None = None  # iterations done, and when
        self._last: tuple[int, float] | None = None  # the same at the last line

    def line(self, done: int, total: int, whole: str) -> str:
        """At a log point: "2026-01-31 17:00:00  3.1 it/s, 2 h 15 min left of all 10 tasks"; "" where it is too early.

        Args:
          done, total: iterations of the whole run.
          whole: what they make up.
        """
        now, self._points = time.monotonic(), self._points + 1
        if self._points <= _BUILDING:
            return ""
        if self._first is None:
            self._first = self._last = (done, now)
        if done - self._last[0] < _LEAST:
            return ""
        speed = (done - self._last[0]) / max(now - self._last[1], 1e-9)
        left = (total - done) * (now - self._first[1]) / (done - self._first[0])
        self._last = (done, now)
        return f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {speed:.3g} it/s, {_spoken(left)} left of {whole}"


def _spoken(seconds: float) -> str:
    return duration(seconds) if seconds >= 60.0 else f"{seconds:.0f} s"
