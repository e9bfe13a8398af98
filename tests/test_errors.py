"""How a script ends: exit code and one line on standard error."""

import io
import subprocess
import sys

import pytest

from lib.run import output


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_output_that_cannot_say_a_name_says_it_otherwise(monkeypatch, encoding):
    """`d\\xe4`, a name that is no UTF-8, and a Greek one."""
    written = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding=encoding))
    output.make_tolerant()
    print("d\udce4 \u03b1", flush=True)
    assert written.getvalue().decode(encoding) in ("d\\udce4 \\u03b1\n", "d\\udce4 \u03b1\n")
    assert output.lost() is None


@pytest.fixture
def end(place):
    def run(body: str, output=subprocess.DEVNULL) -> tuple[int, str]:
        """Exit code and standard error of a script whose main has this body."""
        code = f"from lib import errors\ndef main(arguments):\n    {body}\nerrors.run(main)"
        ended = place.run(["-c", code], stdout=output)
        return ended.returncode, ended.stderr

    return run


def test_user_errors_end_in_one_line(end):
    assert end("raise errors.UserError('no such file; give another')") == (2, "error: no such file; give another\n")


def test_interrupted_runs_say_how_to_go_on(end):
    code, said = end("raise errors.Interrupted(15)")
    assert code == 128 + 15 and said == "stopped, everything is saved: the same command goes on from here\n"


def test_an_interrupt_while_nothing_trains_ends_in_one_line(end):
    code, said = end("raise KeyboardInterrupt")
    assert code == 128 + 2 and said.startswith("stopped: the same command") and said.count("\n") == 1


def test_output_that_no_disk_takes_ends_in_one_line(end):
    with open("/dev/full", "w") as full:
        code, said = end("print('iter 0', flush=True)", full)
    assert code == 2 and said.startswith("error: cannot write the output: No space left") and said.count("\n") == 1


def test_errors_of_ours_keep_their_traceback(end):
    code, said = end("open('/nowhere/to/be/found')")
    assert code == 1 and "Traceback" in said
