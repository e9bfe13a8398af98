"""The checker itself: what it must refuse and what it must not, on copies of golden files."""

import json
import pathlib

import numpy as np
import pytest

from lib.errors import UserError
from tests.golden import records, registry
from tests.golden.__main__ import main
from tests.golden.memorygan import models
from tests.golden.records import Comparison, Document

FIGURES = pathlib.Path(__file__).with_name("figures")


@pytest.fixture
def check(tmp_path, capsys):
    """Runs the command line on a changed copy of a golden file: (exit code, standard output, standard error)."""
    def run(change, file="mergan_networks.json", case=None, options=()):
        data = json.loads((FIGURES / file).read_text())
        # One small case is enough.
        kept = case or next(iter(data["cases"]))
        data["cases"] = {kept: data["cases"][kept]}
        if "tensors" in data:
            data["tensors"] = {key: value for key, value in data["tensors"].items() if key.startswith(f"{kept}/")}
        change(data)
        path = tmp_path / file
        path.write_text(json.dumps(data))
        return main([str(path), *options]), *capsys.readouterr()

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


def test_a_record_of_a_case_that_nothing_is_compared_with_fails_in_its_case_too(check):
    code, out, _ = check(lambda data: data["cases"]["networks_mnist"].update(unheard_of=1.5),
                         options=["--case", "networks_mnist"])
    assert code == 1
    assert "not compared" in out and "cases/networks_mnist/unheard_of" in out
    assert "8 records, 1 failed" in out


def _compared(name):
    return Comparison("", ("cases", name, "scalar"), 1.0, records.OUTPUTS)


@pytest.mark.parametrize("compared", [["a", "a", "b"], ["a", "b", "c"]])
def test_a_record_compared_twice_or_of_another_case_is_an_error(monkeypatch, compared):
    """Case a compares three records: one of them is its own, and has not been compared yet."""
    document = Document(pathlib.Path("mergan_toy.json"), {"cases": {name: {"scalar": 1.0} for name in "abc"}})
    topic = registry.Topic(lambda _: {"a": lambda: map(_compared, compared), "b": lambda: [], "c": lambda: []})
    monkeypatch.setattr(registry, "find", lambda _: topic)
    with pytest.raises(UserError, match="was compared"):
        registry.check(document, "a")


def test_only_the_case_that_is_asked_for_is_recomputed(monkeypatch):
    document = Document(pathlib.Path("mergan_toy.json"), {
        "cases": {"a": {"scalar": 1.0}, "a/b": {"scalar": 1.0}}, "tensors": {"a/b/x": 1.0, "a/x": 1.0, "c/x": 1.0}})
    recomputed = []

    def case(name):
        def compare():
            recomputed.append(name)
            yield _compared(name)
            yield Comparison("", ("tensors", f"{name}/x"), 1.0, records.OUTPUTS)
        return compare

    monkeypatch.setattr(registry, "find", lambda _: registry.Topic(lambda _: {"a": case("a"), "a/b": case("a/b")}))
    assert registry.cases(document) == ["a", "a/b"]
    group, = registry.check(document, "a/b")
    assert (recomputed, group.count, group.failures) == (["a/b"], 2, ())
    assert registry.strays(document) == [("tensors", "c/x")]
    assert [group.count for group in registry.check(document)] == [4, 1]
    with pytest.raises(UserError, match="it has: a, a/b"):
        registry.check(document, "c")


def test_list_names_the_cases(check):
    code, out, _ = check(lambda data: None, options=["--list"])
    assert code == 0
    assert out.splitlines()[1:] == ["  networks_mnist"]


def test_unknown_case_is_one_line_and_exit_code_2(check):
    code, _, error = check(lambda data: None, options=["--case", "networks_moon"])
    assert code == 2
    assert "networks_mnist" in error and error.count("\n") == 1


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


# --- what the original leaves open ------------------------------------------------------------------------------------


@pytest.mark.parametrize("oldest, passes", [([111, 197], True), ([197, 111], True), ([111, 198], False)])
def test_oldest_slots_of_a_memory_are_a_set(check, oldest, passes):
    """Where each query of a batch has an oldest slot of its own, the original's order of them is arbitrary."""
    def change(data):
        data["cases"]["k64_ones"]["ints"]["k64_ones/oldest"] = oldest

    code, out, _ = check(change, "memorygan_memory.json", "k64_ones")
    assert code == int(not passes)
    assert passes or "k64_ones/oldest" in out


def _with_slots_to_choose_from() -> dict:
    """A golden file in which the second query is reset, and the first one trains one of the two oldest slots.

    All of it is recorded from the port, which has the second query write that slot too.
    """
    data = json.loads((FIGURES / "memorygan_memory.json").read_text())
    name, prefix = "k64_some_reset", "public/mem/checker#3"
    case = data["cases"][name]
    case["config"]["KP"] = prefix
    case["slots_written_by_more_than_one_query"] = None  # to be recorded
    data["cases"] = {name: case}
    for comparison in models.memories(Document(pathlib.Path("memory.json"), data), name):
        *path, last = comparison.path
        values, kind = np.asarray(comparison.ours), path[-1]
        records.look_up(data, path)[last] = (records.digest(values, last) if kind == "records" else values.tolist())
    case["ints"][f"{name}/oldest_set_sorted"] = [52, 67]
    return data


@pytest.mark.parametrize("count, passes", [(0, True), (1, True), (2, False)])
def test_slots_written_twice_are_counted_for_any_choice_of_oldest_slots(tmp_path, capsys, count, passes):
    data = _with_slots_to_choose_from()
    case = data["cases"]["k64_some_reset"]
    assert case["slots_written_by_more_than_one_query"] == 1
    case["slots_written_by_more_than_one_query"] = count
    path = tmp_path / "memorygan_memory.json"
    path.write_text(json.dumps(data))
    assert main([str(path)]) == int(not passes)
    assert passes or "slots_written_by_more_than_one_query" in capsys.readouterr().out


@pytest.mark.parametrize("file, case, count, passes", [
    ("memorygan_memory.json", "k64_some_reset", 0, True),  # neither of the oldest slots is trained
    ("memorygan_memory.json", "k64_some_reset", 1, False),
    ("memorygan_memory.json", "two_resets_same_oldest_slot", 0, False)])  # all queries have one oldest slot
def test_slots_written_twice_are_counted_exactly_where_there_is_no_choice(check, file, case, count, passes):
    code, _, _ = check(lambda data: data["cases"][case].update(slots_written_by_more_than_one_query=count), file, case)
    assert code == int(not passes)


def _recolour(outputs: int):
    """Let the last layer of a convolutional decoder have so many outputs."""
    def change(data):
        for name, shape in data["cases"]["cnn"]["creation_order_M0"]:
            if "/cnn_decoder/Conv/" in name:
                shape[-1] = outputs
    return change


@pytest.mark.parametrize("outputs, passes", [(3, True), (6, True), (5, False)])
def test_decoder_has_the_outputs_of_the_listed_variables(check, outputs, passes):
    """Six: means and scales of the three channels that the encoder sees."""
    code, out, _ = check(_recolour(outputs), "lvae_fork_map.json", "cnn")
    assert code == int(not passes)
    assert passes or "creation_order_M0" in out


@pytest.mark.parametrize("shift, passes", [(2e-3, True), (5e-3, False)])
def test_first_elements_of_a_gradient_are_measured_by_the_whole_tensor(shift, passes):
    """The first six elements are a 4000th of the norm: rounding's millionth of the norm is four thousandths of them."""
    gradient = np.full([200], 1.0)
    gradient[:6] = np.linalg.norm(gradient) / 4000
    record = records.digest(gradient, "a")
    ours = gradient.copy()
    ours[0] *= 1 + shift
    error, bound = records.error_and_bound(Comparison("", ("a",), ours, records.GRADIENTS), record)
    assert (error <= bound) is passes
    # Outputs, and all that is computed in float64, have no such allowance.
    for tolerance in (records.OUTPUTS, records.FLOAT64):
        error, bound = records.error_and_bound(Comparison("", ("a",), ours, tolerance), record)
        assert error > bound
    error, bound = records.error_and_bound(Comparison("", ("a",), gradient * 1.002, records.GRADIENTS), record)
    assert error > bound
