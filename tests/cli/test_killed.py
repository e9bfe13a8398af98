"""A run that is stopped (SIGTERM) or killed (SIGKILL), and started again each time, ends as if it had never been."""

import re
from pathlib import Path

import pytest

from tests import kills
from tests.kills import Program
from tests.memorygan import tiny

# Once each, and as often as it takes to meet what is rare.
MOMENTS = ["start", "writing", "stopped"]


def often(count, few=MOMENTS):
    return pytest.mark.parametrize("moments", [
        pytest.param(few, id="few"), pytest.param(kills.moments(count, 8), id="often", marks=pytest.mark.slow)])


MERGAN = "mergan.py --dataset=digits --tasks=2 --iters={iterations} --RA --RA_factor=1e-3 --result_path=run"
MEMORYGAN = ("memorygan/run.py --dataset=fashion --epoch=3 --data_dir={data} " + " ".join(tiny.FLAGS))
# Of this seed the three visits are short: 5, 8 and 4 iterations.
LVAE = ("lvae/run_fashion_dnn_experiment.py --sequential=True --latent_size=2 --batch_size=2 --min_interval=3 "
        "--max_dist_swaps=3 --seed=83 --test_interval=4 --data_dir={data} --device=/cpu:0 --allow_soft_placement")


def straight_and_killed(tmp_path: Path, line: str, moments: list[str]) -> tuple[Program, Program]:
    """The same run twice, unbroken and killed at these moments; its resume points are one iteration apart."""
    straight, killed = (Program(f"{line} --checkpoint_every=1it", tmp_path / name) for name in ("straight", "killed"))
    pace = kills.finish_at_its_pace(straight)
    kills.finish_with_kills(killed, moments, pace, seed=8)
    # Most kills come after the first point.
    assert len(re.findall("^resuming ", killed.output(), re.M)) > len(moments) / 3
    return straight, killed


def runs(directory: Path) -> list[Path]:
    """Where a run wrote under `directory`/<kind>/<exp>/<stamp>; a start that was killed at once leaves no files."""
    stamps = {path.parent.name for path in directory.glob("*/0/*/settings.json")}
    return sorted(path for path in directory.glob("*/0/*") if path.name in stamps)


@often(20)
def test_mergan(launch, tmp_path, moments):
    programs = straight_and_killed(tmp_path, MERGAN.format(iterations=1 + len(moments)), moments)
    kills.assert_same_run(*(program.directory / "result/run" for program in programs))


@often(5, MOMENTS[1:])
def test_memorygan(launch, tmp_path, fashion, moments):
    programs = straight_and_killed(tmp_path, MEMORYGAN.format(data=fashion), moments)
    straight, killed = (runs(program.directory) for program in programs)
    assert len(straight) == len(killed) == 3  # checkpoint, logs, samples
    for theirs, ours in zip(straight, killed):
        kills.assert_same_run(theirs, ours)


@often(5, MOMENTS[1:])
def test_lvae(launch, tmp_path, fashion, moments):
    programs = straight_and_killed(tmp_path, LVAE.format(data=fashion), moments)
    kills.assert_same_run(*(program.directory / "experiment_0" for program in programs))
