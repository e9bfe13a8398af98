"""The checker itself: what it must refuse, on copies of a golden file."""

import json
import pathlib

import numpy as np
import pytest

from tests.golden import records
from tests.golden.__main__ import main
from tests.golden.records import Comparison

FIGURES = pathlib.Path(__file__).with_name("figures")


@pytest.fixture
def check(tmp_path, capsys):
    """Runs the command line on a changed copy of a golden file: (exit code, standard output, standard error)."""
    def run(change, file="mergan_networks.json"):
        data = json.loads((FIGURES / file).read_text())
        # One small case is enough.
        kept = next(iter(data["cases"]))
        data["cases"] = {kept: data["cases"][kept]}
        data["tensors"] = {key: value for key, value in data["tensors"].items() if key.startswith(f"{kept}/")}
        change(data)
        path = tmp_path / file
        path.write_text(json.dumps(data))
        return main([str(path)]), *capsys.readouterr()

    return run


def test_unchanged_file_passes(check):
    code, out, _ = check(lambda data: None)
    assert code == 0
    assert "7 records, 0 failed" in out


@pytest.mark.parametrize("field", ["l2", "mean", "proj", "head"])
def test_a_changed_statistic_fails(check, field):
    def change(data):
        record = data["tensors"]["networks_mnist/G_old"]
        if field == "head":
            record["head"][3] *= 1.001
        else:
            record[field] += 1e-3 * record["l2"]

    code, out, _ = check(change)
    assert code == 1
    assert "tensors/networks_mnist/G_old" in out


def test_other_random_numbers_fail(check):
    code, out, _ = check(lambda data: data.update(prefix="other"))
    assert code == 1


@pytest.mark.parametrize("name, value", [
    ("networks_mnist/unheard_of", {"shape": [1], "mean": 0.0, "l2": 0.0, "proj": 0.0, "head": [0.0]}),
    ("anything", 1.5), ("words", "of some kind"), ("list", [1, 2])])
def test_a_record_that_nothing_is_compared_with_fails(check, name, value):
    code, out, _ = check(lambda data: data["tensors"].update({name: value}))
    assert code == 1
    assert "not compared" in out and f"tensors/{name}" in out


@pytest.mark.parametrize("change", [
    lambda data: data.update(topic="alchemy"), lambda data: data.update(system="alchemy"),
    lambda data: data.pop("variables"), lambda data: data["variables"]["mnist"].popitem(),
    lambda data: data["cases"]["networks_mnist"].update(labels="three")])
def test_unknown_forms_are_one_line_and_exit_code_2(check, change):
    code, _, error = check(change)
    assert code == 2
    assert error.startswith("error: ") and error.count("\n") == 1


@pytest.mark.parametrize("content", ["{", "[1, 2]", None])
def test_unreadable_files_are_one_line_and_exit_code_2(tmp_path, capsys, content):
    path = tmp_path / "mergan_networks.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and str(path) in error


def test_float64_file_without_its_sibling_says_so(check):
    code, _, error = check(lambda data: None, "mergan_losses_float64.json")
    assert code == 2
    assert "losses_mnist" in error and error.count("\n") == 1


def test_digest_of_a_tensor():
    tensor = np.array([[3.0, -4.0]], np.float32)
    digest = records.digest(tensor, "key")
    weights = records.stream("proj/key").uniform(-1, 1, 2)
    assert digest == {"shape": [1, 2], "mean": -0.5, "l2": 5.0, "proj": pytest.approx(3 * weights[0] - 4 * weights[1]),
                      "head": [3.0, -4.0]}


@pytest.mark.parametrize("ours, passes", [
    ([1.0, 2.0, 2.0], True), ([1.0, 2.0, 2.001], False), ([1.0, 2.0, float("nan")], False), ([[1.0, 2.0, 2.0]], False)])
def test_tensor_error(ours, passes):
    record = records.digest(np.array([1.0, 2.0, 2.0]), "a")
    error, bound = records.error_and_bound(Comparison("", ("a",), np.array(ours), records.OUTPUTS), record)
    assert bound == records.OUTPUTS
    assert (error <= bound) is passes


def test_stated_deviation_widens_the_bound():
    record = records.digest(np.array([1.0, 2.0, 2.0]), "a")
    comparison = Comparison("", ("a",), np.array([1.0, 2.0, 2.002]), records.OUTPUTS)
    for deviation, passes in ((0.0, False), (1e-3, True)):
        error, bound = records.error_and_bound(comparison._replace(deviation=deviation), record)
        assert (error <= bound) is passes


def test_drift_from_float64_fails_whatever_the_record():
    record = records.digest(np.array([1.0, 2.0, 2.0]), "a")
    comparison = Comparison("", ("a",), np.array([1.0, 2.0, 2.1]), records.GRADIENTS, exact=[1.0, 2.0, 2.0])
    for drift, passes in ((1e-2, False), (1e-1, True)):
        error, bound = records.error_and_bound(comparison._replace(drift=drift), record)
        assert (error <= bound) is passes


def test_noise_is_compared_with_zero():
    record = records.digest(np.full([4], 1e-9), "a")
    for size, passes in ((1e-8, True), (1e-5, False)):
        comparison = Comparison("", ("a",), np.full([4], -size), records.NOISE, noise=1.0)
        error, bound = records.error_and_bound(comparison, record)
        assert (error <= bound) is passes
