"""Runs side by side."""

import dataclasses
import json

import numpy as np
import pytest

from lib.errors import UserError
from lvae import comparison, distributions
from lvae.config import make_config


def _write(folder, method, elbos):
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({"system": "Lifelong VAE", "sequential": True, "method": method}))
    (folder / "results.json").write_text(json.dumps([
        {"distribution": f"fashion {number}", "seen_elbo": 2 * elbo, "frechet_distance": 3 * elbo,
         "tests": {"a_": {"elbo": elbo - 1}, "b_": {"elbo": elbo + 1}}}
        for number, elbo in enumerate(elbos)]))
    return str(folder)


def test_table_has_a_column_per_run(tmp_path, capsys):
    runs = [_write(tmp_path / "one", "lifelong", [200.0, 150.5]), _write(tmp_path / "two", "ewc", [210.0])]
    comparison.run(runs, str(tmp_path / "out"))
    text = (tmp_path / "out" / "transitions.md").read_text()
    assert text.strip() == capsys.readouterr().out.strip()
    assert "| 1 | fashion 0 | 200.00 | 210.00 |" in text and "| 2 | fashion 1 | 150.50 |  |" in text
    assert "| 2 | fashion 1 | 301.00 |  |" in text
    assert "| 2 | fashion 1 | 451.50 |  |" in text
    assert "Consistency" not in text
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"transitions.md", "elbo.png", "seen_elbo.png",
                                                                   "frechet_distance.png"}


def test_a_run_from_a_loaded_model_stands_at_its_own_transitions(tmp_path, capsys):
    """Whether its results say where it begins, or, as those written before, only its list of classes does."""
    whole, said, older = tmp_path / "whole", tmp_path / "said", tmp_path / "older"
    _write(whole, "lifelong", [200.0, 150.5, 120.0])
    results = json.loads((whole / "results.json").read_text())[2:]
    for run, told in ((said, {"transition": 3}), (older, {})):
        _write(run, "lifelong", [])
        (run / "results.json").write_text(json.dumps([results[0] | told]))
        (run / "models").mkdir()
        (run / "models/class_list.csv").write_text("0,0\n1,1\n2,2\n")
    comparison.run([str(whole), str(said), str(older)], str(tmp_path / "out"))
    printed = capsys.readouterr().out
    assert "| 1 | fashion 0 | 200.00 |  |  |" in printed and "| 3 | fashion 2 | 120.00 | 120.00 | 120.00 |" in printed
    line = comparison.chart({"said": comparison.read(said)[1]}, "elbo").lines[0]
    assert (line.x, line.y) == ((3,), (120.0,))


def test_different_distributions_at_a_transition_have_a_line_each():
    rows = {"one": [{"distribution": "svhn", "elbo": 1.0}], "two": [{"distribution": "mnist", "elbo": 2.0}]}
    assert "| 1 | svhn | 1.00 |  |\n| 1 | mnist |  | 2.00 |" in comparison.table(rows, "elbo")


def test_foreign_directories_are_refused(tmp_path):
    with pytest.raises(UserError, match="settings.json"):
        comparison.run([str(tmp_path)], str(tmp_path / "out"))
    (tmp_path / "settings.json").write_text('{"system": "MeRGAN"}')
    with pytest.raises(UserError, match="Lifelong"):
        comparison.run([str(tmp_path)], str(tmp_path / "out"))


def test_after_switches_is_the_mean_over_the_switches_by_thousands(tmp_path):
    """Two switches between three distributions; the log has a test every 500 iterations, whose value is its step."""
    config = make_config("permuted_mnist", sequential=True, batch_size=2, min_interval=1500, max_dist_swaps=3)
    (tmp_path / "settings.json").write_text(json.dumps({"system": "Lifelong VAE", **dataclasses.asdict(config)}))
    first, second, third = (visit.iterations for visit in distributions.schedule(config, 5))
    (tmp_path / "log.jsonl").write_text("".join(
        json.dumps({"step": step, "values": {"mnist_test_elbo": {str(step): step}, "elbo": {str(step): -1}}}) + "\n"
        for step in range(0, first + second + third, 500)))

    found = []
    for began, length in ((first, second), (first + second, third)):  # what comes later is the next visit's
        steps = np.array([step for step in range(0, first + second + third, 500) if began < step < began + length])
        thousands = (steps - began - 1) // 1000
        found.append([np.mean(steps[thousands == number]) for number in np.unique(thousands)])
    expected = np.mean([means[:min(map(len, found))] for means in found], axis=0)
    assert second % 1000 and len(expected) > 1  # so the second visit ends within a thousand
    np.testing.assert_allclose(comparison.after_switches(tmp_path, 5), expected)
    assert "| 1 | 2.00 | 3.00 |\n| 2 | 1.00 |  |" in comparison.curve_table({"a": [2.0, 1.0], "b": [3.0]})
