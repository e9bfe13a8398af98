"""The seconds of iterations: in the original's pickle and curves, and in nothing that two equal runs share."""

import io
import pickle

import pytest
from PIL import Image

from lib.run.log import Log


def test_seconds_are_in_the_pickle_and_the_curves_alone(tmp_path):
    log = Log(tmp_path, 0)
    for step in range(3):
        log.add({"d-cost": {step: float(step)}})
        log.seconds[step] = 0.5
        if step < 2:
            log.flush(step)
    log.write_pickle(tmp_path / "log.pkl")
    assert pickle.loads((tmp_path / "log.pkl").read_bytes()) == {"d-cost": {0: 0.0, 1: 1.0}, "time": {0: 0.5, 1: 0.5}}
    log.draw_curves()
    assert {path.name for path in tmp_path.glob("*.jpg")} == {"d-cost.jpg", "time.jpg"}
    assert Image.open(io.BytesIO((tmp_path / "time.jpg").read_bytes())).size == (640, 480)
    assert "time" not in (tmp_path / "log.jsonl").read_text() and "time" not in log.settle()
    log.close()


@pytest.mark.parametrize("damaged", [False, True])
def test_an_interrupted_runs_seconds_are_found_again_up_to_its_resume_point(tmp_path, damaged):
    log = Log(tmp_path, 0)
    log.seconds = {0: 0.5, 1: 0.25, 2: 0.125}
    pending = log.settle()
    log.close()
    if damaged:
        (tmp_path / "resume/seconds.json").write_text("{")
    again = Log(tmp_path, 2, pending)
    assert again.seconds == ({} if damaged else {0: 0.5, 1: 0.25})
    again.close()
