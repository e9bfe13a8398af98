"""Signals end whatever a program does, not only a training loop."""

import os
import signal

import pytest

from lib.errors import Interrupted, UserError
from lib.run import runner
from lib.run.options import Options
from lvae import distributions
from lvae.config import make_config


@pytest.mark.full
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_while_nothing_trains_ends_in_one_line_and_leaves_nothing_half_written(place, name):
    # Where the tests themselves run under nohup, a hangup would be ignored.
    code = (f"import os, signal\nsignal.signal(signal.{name}, signal.SIG_DFL)\n"
            "from lib import errors, files\ndef main(arguments):\n"
            "    with files.atomic('weights') as path:\n        path.write_text('half')\n"
            f"        os.kill(os.getpid(), signal.{name})\n        [None for _ in range(10**9)]\nerrors.run(main)")
    ended = place.run(["-c", code], timeout=60)
    assert ended.returncode == 128 + getattr(signal, name)
    assert ended.stderr == "stopped: the same command starts again where the last resume point is\n"
    assert not any(place.path.iterdir())


def test_long_work_between_two_phases_is_interrupted_and_not_lost(tmp_path):
    def start():
        return runner.Run(tmp_path, {"system": "toy"}, {}, Options(), [5, 5])

    with start() as run:
        run.train(lambda first, count: {}, [])
        run.answer_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            run.answer_signals()
    with start() as run:
        assert (run.phase, run.iteration) == (0, 5)


def test_a_second_interrupt_ends_at_once(tmp_path, capfd):
    with runner.Run(tmp_path, {"system": "toy"}, {}, Options(), [5]):
        os.kill(os.getpid(), signal.SIGINT)
        assert "Ctrl-C once more ends at once" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("flags, named", [
    ({"max_dist_swaps": 10**12}, "--max_dist_swaps=1000000000000: has to be at most"),
    ({"min_interval": 10**15}, "--min_interval=1000000000000000: has to be at most")])
def test_a_schedule_without_end_is_refused(flags, named):
    with pytest.raises(UserError, match=named):
        make_config("fashion_dnn", sequential=True, **flags)


def test_the_longest_schedules_are_made_in_no_time():
    visits = distributions.schedule(make_config("fashion_dnn", min_interval=10**9, batch_size=1), 3)
    assert len(visits) == 32 and all(visit.iterations > 10**9 for visit in visits)
