"""How long a run will take: said once, from its first iterations, and at log points, with how fast it is."""

import time

_BUILDING = 2  # calls, or log points, at which graphs are still built
_LEAST = 10  # iterations from which a speed is told
_WORTH_SAYING = 60.0  # seconds


class Pace:
    """How long iterations take by themselves: the first ones have many pictures and log points between them."""

    def __init__(self):
        self._calls, self._iterations, self._seconds = 0, 0, 0.0
        self.is_known = False

    def add(self, iterations: int, seconds: float) -> None:
        self._calls += 1
        if self._calls > _BUILDING:
            self._iterations += iterations
            self._seconds += seconds
            self.is_known = self._iterations >= _LEAST

    def line(self, iterations: int, whole: str) -> str:
        """How long so many iterations will take, in words; "" where it is not worth a word.

        Args:
          whole: what they make up.
        """
        seconds = self._seconds / self._iterations * iterations
        if seconds < _WORTH_SAYING:
            return ""
        return f"about {duration(seconds)} for {whole}, at the pace of these iterations"


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
        spoken = duration(left) if left >= 60.0 else f"{left:.0f} s"
        return f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {speed:.3g} it/s, {spoken} left of {whole}"


def duration(seconds: float) -> str:
    """The two largest units: "2 h 15 min", "3 days 4 h"; less than an hour in minutes."""
    minutes = max(round(seconds / 60), 1)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} day{'s' * (days > 1)} {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
