"""Runs side by side."""

import json

import pytest

from lib.errors import UserError
from lvae import comparison


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


def test_foreign_directories_are_refused(tmp_path):
    with pytest.raises(UserError, match="settings.json"):
        comparison.run([str(tmp_path)], str(tmp_path / "out"))
    (tmp_path / "settings.json").write_text('{"system": "MeRGAN"}')
    with pytest.raises(UserError, match="Lifelong"):
        comparison.run([str(tmp_path)], str(tmp_path / "out"))
