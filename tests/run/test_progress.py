"""What a log point says of speed and of the time that is left."""

from types import SimpleNamespace

from lib.run import progress


def test_speed_is_that_since_the_last_line_and_what_is_left_that_of_all(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now, strftime=lambda form: "now"))
    known, lines = progress.Progress(), []
    for done, now in ((1, 50.0), (2, 90.0), (3, 91.0), (4, 92.0), (103, 141.0), (203, 191.0), (303, 391.0)):
        clock.now = now
        lines.append(known.line(done, 1303, "all"))
    assert lines[:4] == [""] * 4  # graphs are built, and then too few iterations
    assert lines[4:] == ["now  2 it/s, 10 min left of all", "now  2 it/s, 9 min left of all",
                         "now  0.5 it/s, 17 min left of all"]
