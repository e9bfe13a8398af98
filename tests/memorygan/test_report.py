"""memoryGAN's chapter of the report, from files as training and generation leave them."""

import dataclasses
import json

import numpy as np
import pytest

from lib import files, pictures
from lib.errors import UserError
from lib.report import runs
from lib.report.options import Options
from memorygan import report
from tests.memorygan import tiny


def write_run(base, stamp: str, **settings):
    """The logs of a run; returns their directory."""
    logs = base / "logs/0" / stamp
    files.make_directory(logs / "prior")
    files.write_json(logs / "settings.json", {"system": "memoryGAN", **dataclasses.asdict(tiny.config(**settings))})
    return logs


def write_pictures(directory, *names: str) -> None:
    files.make_directory(directory)
    for name in names:
        pictures.save_png(directory / f"{name}.png", np.zeros([16, 16, 1], np.uint8))


def chapter_of(*directories) -> dict:
    found = report.chapter(runs.read_all(directories), Options())
    assert found.title == "memoryGAN on fashion"
    return {section.title: section for section in found.sections}


@pytest.fixture
def finished(tmp_path):
    logs = write_run(tmp_path, "whole")
    lines = [{"step": step, "means": {"test_log_likelihood": value}, "values": {"test_log_likelihood": {step: value}}}
             for step, value in ((4, -2.0), (9, -1.5))]
    files.write_text(logs / "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    for epoch, used in ((2, 64), (3, 16)):
        np.save(logs / f"prior/epoch_{epoch}.npy", np.float32([1 / used] * used + [0] * (64 - used)))
    write_pictures(tmp_path / "samples/0/whole", *(f"samples_{epoch}" for epoch in (101, 102, 9)), "other")
    generated = tmp_path / "samples/checkpoint/0/whole"
    write_pictures(generated, "samples_gen_0", "posterior", "nearest", "interpolation_noise")
    files.write_json(generated / "metrics.json", {
        "memory": {"slots_written": 1.0, "slots_real": 0.5, "slots_sampled_effectively": 0.25},
        "inception_score": 5.5, "deviation": 0.125, "classifier": "ResNet", "samples": 640,
        "splits": 10, "classifier_accuracy": 0.9375,
        "by_epoch": {"2": {"inception_score": 1.25}, "3": {"inception_score": 5.5}}})
    return logs


def test_a_run_that_has_not_begun_says_so(tmp_path):
    found = chapter_of(write_run(tmp_path, "new"))
    assert [row[:2] for row in found["Figures"].tables[0].rows] == [
        ["MemoryGAN", "new"], ["-EM", "not run"], ["-MCGN", "not run"], ["-Memory", "not run"]]
    for title in ("Samples over the epochs", "What the memory knows"):
        assert "Not shown: new (" in found[title].text
    assert not {"Score over the epochs", "Slots in use", "Likelihood"} & set(found)
    assert len(found["Figures"].tables) == 1


def test_scores_stand_beside_the_published_ones_with_their_judge(finished):
    scores, memory = chapter_of(finished)["Figures"].tables
    assert scores.rows[0] == ["MemoryGAN", "whole", "1500", "6.39 +- 0.29", "5.50 +- 0.12", "640", "10", "ResNet",
                              "93.75 %"]
    assert memory.rows == [["whole", "100.00 %", "50.00 %", "25.00 %"]]


def test_samples_come_in_the_order_of_the_epochs(finished):
    found = chapter_of(finished)
    assert [figure.caption for figure in found["Samples over the epochs"].figures] == [
        "whole, epoch 9", "whole, epoch 101", "whole, epoch 102", "whole, generated from a checkpoint"]
    assert len(found["What the memory knows"].figures) == 3


def test_slots_scores_and_likelihood_are_drawn_over_the_epochs(finished, monkeypatch):
    charts = {}
    monkeypatch.setattr(pictures, "line_chart", lambda chart: charts.update({chart.ylabel: chart}) or b"")
    chapter_of(finished)
    (slots,) = charts["slots in use [%]"].lines
    assert list(slots.x) == [2, 3] and slots.y == pytest.approx([100.0, 25.0], rel=1e-6)
    (likelihood,) = charts["log-likelihood"].lines
    assert list(likelihood.x) == [2, 3] and likelihood.y == [-2.0, -1.5]
    assert [line.label for line in charts["p(c)"].lines] == ["epoch 2", "epoch 3"]
    (score,) = charts["inception score"].lines
    assert (score.label, score.x, score.y) == ("whole", [2, 3], [1.25, 5.5])


@pytest.mark.parametrize("settings, name", [
    ({}, "MemoryGAN"), ({"memory_update": "kaiser"}, "-EM"), ({"slot_sampling": False}, "-MCGN"),
    ({"model": "GAN", "discriminator": "base_d"}, "-Memory"),
    ({"model": "GAN", "discriminator": "memory_d"}, "-Memory (same networks)")])
def test_methods_have_the_papers_names(settings, name):
    assert report.method(dataclasses.asdict(tiny.config(**settings))) == name


@pytest.mark.parametrize("path", ["samples/checkpoint/0/whole/metrics.json", "samples/0/whole/samples_9.png",
                                  "logs/0/whole/prior/epoch_3.npy"])
@pytest.mark.parametrize("content", [b"", b"[1]"])
def test_a_foreign_file_is_named(finished, path, content):
    (finished.parents[2] / path).write_bytes(content)
    with pytest.raises(UserError, match=path.rpartition("/")[2].partition(".")[0].partition("_")[0]):
        chapter_of(finished)


def test_a_run_in_another_place_has_no_siblings(tmp_path):
    (tmp_path / "settings.json").write_text('{"system": "memoryGAN", "dataset": "fashion"}')
    assert "Not shown" in chapter_of(tmp_path)["Samples over the epochs"].text
