"""Output that nobody takes ends nothing; signals are answered by a resume point."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.full

TOY = textwrap.dedent("""
    import os, signal, sys, time
    from lib import errors
    from lib.run import runner
    from lib.run.options import Options

    def main(arguments):
        directory, body = arguments
        with runner.Run(directory, {"system": "toy"}, {}, Options(), [300]) as run:
            def advance(first, count):
                exec(body)
                print("iterations", first, first + count, flush=True)
                time.sleep(0.02)
                return {}
            run.train(advance, [runner.Event(lambda i: True, lambda i: None)])
        print("done")
    errors.run(main)
""")


def start(directory, body="pass", **options):
    return subprocess.Popen([sys.executable, "-c", TOY, str(directory), body], cwd=ROOT, stderr=subprocess.PIPE,
                            text=True, **options)


def saved_iteration(directory) -> int:
    """How far the run in a directory had come when it was stopped."""
    from lib.run.options import Options
    from lib.run.runner import Run

    with Run(directory, {"system": "toy"}, {}, Options(), [300]) as run:
        return run.iteration


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_every_signal_that_ends_a_run_is_answered_by_a_resume_point(tmp_path, name):
    number = getattr(signal, name)
    process = start(tmp_path / "run", f"os.kill(os.getpid(), signal.{name}) if first == 20 else None",
                    stdout=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number and "everything is saved" in said
    assert saved_iteration(tmp_path / "run") == 21


def test_a_hangup_that_nohup_ignores_is_ignored(tmp_path):
    process = start(tmp_path / "run", "os.kill(os.getpid(), signal.SIGHUP) if first == 20 else None",
                    stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and out.endswith("done\n")


def test_a_reader_that_goes_away_loses_nothing(tmp_path):
    read, write = os.pipe()
    process = start(tmp_path / "run", stdout=write)
    os.close(write)
    os.read(read, 20)
    os.close(read)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + 13 and "Traceback" not in said
    assert 0 < saved_iteration(tmp_path / "run") < 300


def test_an_interrupt_after_the_reader_went_away_still_saves(tmp_path):
    """As `... | tee log` does at Ctrl-C: tee ends first."""
    read, write = os.pipe()
    os.close(read)
    process = start(tmp_path / "run", "os.kill(os.getpid(), signal.SIGINT) if first == 0 else None", stdout=write)
    os.close(write)
    process.communicate(timeout=120)
    assert process.returncode == 130 and saved_iteration(tmp_path / "run") == 1


def test_a_log_disk_that_is_full_is_named_after_everything_is_saved(tmp_path):
    with open("/dev/full", "w") as full:
        process = start(tmp_path / "run", stdout=full)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 2 and "cannot write the output: No space left" in said
    assert saved_iteration(tmp_path / "run") >= 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_output_that_is_closed_from_the_start_is_no_matter(tmp_path, closed):
    command = f'exec "{sys.executable}" -c "$TOY" {tmp_path}/run pass {closed}'
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, env={**os.environ, "TOY": TOY}, timeout=120)
    assert ended.returncode == 0
