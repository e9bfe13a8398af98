"""Every program once as its user sees it: stopped, gone on with, tested. The other command lines are in `full`."""

import json
import re
import signal

import numpy as np
import pytest

from lib import tf1
from tests.lvae.test_train import SHORT
from tests.memorygan import tiny
from tests.process import Stopping, passed


def stop_and_go_on(place, line, sign, as_process=False) -> str:
    """What a program prints that goes on where a signal stopped it, soon after it had printed `sign`."""
    stopped = (place.stop(line, sign, signal.SIGTERM) if as_process else
               place.call(line, Stopping(sign, signal.SIGTERM)))
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr[-2000:]
    assert "goes on from here" in stopped.stderr
    output = passed(place.call(line))
    assert "resuming" in output
    return output


@pytest.mark.parametrize("program, method, sign, checkpoint", [
    ("mergan.py", "--RA --RA_factor 1e-3 --tasks 2", "iter 1", "WGAN_GP.model1-1"),
    ("joint.py", "--seed 1", "iter 0", "WGAN_GP.model-1")])
def test_mergan(workplace, program, method, sign, checkpoint):
    line = f"python {program} --dataset mnist {method} --iters 2"
    stop_and_go_on(workplace, f"{line} --result_path run/", sign, as_process=program == "mergan.py")
    run = workplace.path / "result/run"
    assert tf1.exists(run / "model" / checkpoint) and any((run / "samples").glob("*1*.png"))
    assert len((run / "log.jsonl").read_text().splitlines()) == (4 if program == "mergan.py" else 2)
    printed = passed(workplace.call(f"{line} --test --result_path result/run/"))
    found = [float(value) for value in re.findall(r"^(?:Average accuracy|Task: \d+   All classes accuracy): (\S+)$",
                                                  printed, re.M)]
    tasks = json.loads((run / "metrics.json").read_text())["tasks"]
    assert [task["task"] for task in tasks] == ([2] if program == "mergan.py" else [5, 10])
    assert [task["average_accuracy"] for task in tasks] == found and all(0.0 <= value <= 1.0 for value in found)


def test_memorygan(place, fashion):
    line = f"python memorygan/run.py --dataset=fashion --epoch=3 --data_dir={fashion} {' '.join(tiny.FLAGS)}"
    stop_and_go_on(place, line, "Traing Start")
    checkpoint, = (place.path / "checkpoint/0").iterdir()
    assert tf1.exists(checkpoint / "model-3")
    directory = checkpoint.relative_to(place.path)
    passed(place.call(f"{line} --is_train=False --load_cp_dir={directory} --samples=20 --inception_score=False"))
    samples = np.load(place.path / "samples" / directory / "samples_gen_0.npy")
    assert samples.shape == (20, 28, 28, 1) and len({image.tobytes() for image in samples}) == 20


def test_lvae(place, fashion):
    line = f"python lvae/run_fashion_dnn_experiment.py --data_dir={fashion} {SHORT} --test_interval=30"
    output = stop_and_go_on(place, line, "[model=1]")
    assert "trained 3 models, exiting" in output
    elbos = [row["tests"]["mnist_"]["elbo"] for row in json.loads(
        (place.path / "experiment_0/results.json").read_text())]
    assert len(elbos) == 3 and np.isfinite(elbos).all()
    assert f"| 3 | fashion 2 | {elbos[2]:.2f} |" in passed(
        place.call("python lvae/compare_runs.py --runs=experiment_0 --output=comparison"))
