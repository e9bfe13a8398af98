"""How long a run will take, said before it has taken it, from its first iterations."""

_UNMEASURED = 2  # calls that build and trace graphs
_MEASURED = 10  # iterations
_WORTH_SAYING = 60.0  # seconds


class Pace:
    """How long iterations take, from the first ones."""

    def __init__(self):
        self._calls, self._iterations, self._seconds = 0, 0, 0.0
        self.is_known = False

    def add(self, iterations: int, seconds: float) -> None:
        self._calls += 1
        if self._calls > _UNMEASURED:
            self._iterations += iterations
            self._seconds += seconds
            self.is_known = self._iterations >= _MEASURED

    def line(self, iterations: int, whole: str) -> str:
        """How long so many iterations will take, in words; "" where it is not worth a word.

        Args:
          whole: what they make up.
        """
        seconds = self._seconds / self._iterations * iterations
        if seconds < _WORTH_SAYING:
            return ""
        return f"about {duration(seconds)} for {whole}, at the pace of these iterations"


def duration(seconds: float) -> str:
    """The two largest units: "2 h 15 min", "3 days 4 h"; less than an hour in minutes."""
    minutes = max(round(seconds / 60), 1)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} day{'s' * (days > 1)} {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
