"""Sections of small runs: what is shown, and what is said of what is not there."""

import io

import numpy as np
import pytest
from PIL import Image

from lib import pictures
from lib.errors import UserError
from lib.mergan.config import Config
from lib.mergan.report import animation, sections, tsne
from lib.report import runs
from lib.report.options import Options
from tests.report.conftest import mergan_runs, write_checkpoint, write_run, write_sample

WITHOUT_TSNE = Options(data_dir="nowhere", tsne_samples=0)


def by_title(chapter):
    return {section.title: section for section in chapter.sections}


def pixels(figure):
    with Image.open(io.BytesIO(figure.data)) as image:
        return np.asarray(image.convert("L")).astype(int)


@pytest.fixture
def digits(tmp_path):
    """Two tasks of three iterations on digits."""
    config = Config("digits", 3, joint_replay=True)
    directory = write_run(tmp_path / "two", config)
    for task in range(2):
        write_checkpoint(directory, config, task, seed=task)
    return directory


def test_a_run_that_has_not_begun_says_so_everywhere(tmp_path):
    found = by_title(sections.chapter(runs.read_all([write_run(tmp_path / "new", Config("mnist", 3))]), Options(
        data_dir="nowhere", tsne_samples=5)))
    for title in ("After the last task", "Each class after each task", "Learning",
                  "First iterations of a new task: class 0"):
        assert "Not shown: new (" in found[title].text and not found[title].figures
    assert "Without a log: new" in found["Curves"].text
    assert not any(title.startswith("t-SNE") or title == "Over the tasks" for title in found)


def test_grids_show_what_the_checkpoints_generate(digits):
    (run,) = mergan_runs([digits])
    found = by_title(sections.chapter([run.stored], WITHOUT_TSNE))
    (last,), (each,) = found["After the last task"].figures, found["Each class after each task"].figures
    assert "2 of 10 tasks" in last.caption and "JTR" in last.caption
    rows = run.gallery.classes_by_latents(2, 10)
    assert np.array_equal(pixels(last)[-34:-2, -34:-2], rows[1][9][..., 0])  # class 1, latent vector 10
    after = pixels(each)[-132:, -132:]  # two by two tiles of 64, the gaps between and one at the end
    tiles = [[after[row:row + 64, column:column + 64] for column in (0, 66)] for row in (0, 66)]
    first, second = ([row[0] for row in run.gallery.classes_by_latents(learned, 1)] for learned in (1, 2))
    assert np.array_equal(tiles[0][0][::2, ::2], first[0][..., 0])
    assert np.array_equal(tiles[0][1][::2, ::2], second[0][..., 0])
    assert np.array_equal(tiles[1][1][::2, ::2], second[1][..., 0])
    assert len(np.unique(tiles[1][0])) == 1  # class 1 was not yet learned


def test_first_iterations_show_the_old_class_only(tmp_path):
    directory = write_run(tmp_path / "run", Config("digits", 7))
    for task, iteration, label, shade in [(1, 0, 0, 10), (2, 0, 0, 50), (2, 0, 1, 60), (2, 3, 0, 70), (2, 3, 1, 80),
                                          (2, 4, 0, 90), (2, 4, 1, 100), (2, 6, 0, 110), (2, 6, 1, 120)]:
        write_sample(directory, f"Task_{task}_Iter_{iteration}_{label}.png", np.full(100, shade))
    (figure,) = by_title(sections.chapter(runs.read_all([directory]), WITHOUT_TSNE))[
        "First iterations of a new task: class 0"].figures
    # Iterations 0, 4 and the last, 6; 3 is no power of two, task 1 does not concern an old class.
    row = pixels(figure)[-34, -3 * 66:]
    assert [row[30 + 66 * column] for column in range(3)] == [50, 90, 110]
    assert pixels(figure).shape[0] == 18 + 2 + 66


def animated(gif: bytes, *columns: int) -> np.ndarray:
    """Shades [frames, columns, 10] of the ten rows of tiles, at these distances from the left edge."""
    with Image.open(io.BytesIO(gif)) as image:
        shades = []
        for frame in range(image.n_frames):
            image.seek(frame)
            shades.append(np.asarray(image.convert("L")).astype(int)[18 + 18::34, columns].T)
    return np.array(shades)


def test_animation_blanks_what_is_not_yet_learned(tmp_path):
    directory = write_run(tmp_path / "run", Config("digits", 7))
    for task, label in [(1, 0), (2, 0), (2, 1)]:
        write_sample(directory, f"Task_{task}_Iter_0_{label}.png", np.full(100, 50 * task + label))
    (figure,) = by_title(sections.chapter(runs.read_all([directory]), WITHOUT_TSNE))["Learning"].figures
    seen = animated(figure.data, -18)[:, 0].tolist()
    assert seen == [[50] + [240] * 9, [100, 101] + [240] * 8]


def test_runs_are_animated_side_by_side_each_at_its_last_moment_so_far(tmp_path):
    directories = [write_run(tmp_path / name, Config("digits", 7)) for name in ("short", "long")]
    for directory, moments in zip(directories, ([(0, 20), (4, 60)], [(0, 100), (2, 140), (4, 180)])):
        for iteration, shade in moments:
            write_sample(directory, f"Task_1_Iter_{iteration}_0.png", np.full(100, shade))
    gif = animation.learning(mergan_runs(directories))
    with Image.open(io.BytesIO(gif)) as image:
        width = image.width
    assert animated(gif, width // 2 - 18, width - 18)[:, :, 0].tolist() == [[20, 100], [20, 140], [60, 180]]
    assert animation.learning(mergan_runs([write_run(tmp_path / "none", Config("digits", 7))])) is None


def test_a_run_of_fewer_tasks_has_no_rows_for_the_others(tmp_path):
    directory = write_run(tmp_path / "run", Config("digits", 7, first_tasks=2))
    for task, label in [(1, 0), (2, 0), (2, 1)]:
        write_sample(directory, f"Task_{task}_Iter_0_{label}.png", np.full(100, 50))
    found = by_title(sections.chapter(runs.read_all([directory]), WITHOUT_TSNE))
    assert pixels(found["Learning"].figures[0]).shape[0] == 18 + 2 + 2 * 34
    with pytest.raises(UserError, match="0 to 1"):
        sections.chapter(runs.read_all([directory]), Options(data_dir="nowhere", label=2, tsne_samples=0))


def test_measures_over_the_tasks(tmp_path, aligned, monkeypatch):
    """A picture of each measure, a line in it for each run that was tested so, and the table of the same figures."""
    drawn = {}
    monkeypatch.setattr(pictures, "line_chart", lambda chart: drawn.update(
        {chart.ylabel: (chart.percent, {line.label: (line.x, line.y) for line in chart.lines})}) or b"")
    tested = [{"task": task, "average_accuracy": 1 / task, "FID (mnist classifier features)": 10.0 * task}
              for task in (10, 2)]
    plain = write_run(tmp_path / "plain", Config("mnist", 7), {"dataset": "mnist", "iterations": 7, "tasks": tested})
    section = sections.evolution(mergan_runs([plain, aligned]))
    assert drawn == {"accuracy [%]": (True, {"plain": ((2, 10), (50.0, 10.0)), "aligned": ((5, 10), (50.0, 45.0))}),
                     "FID (mnist classifier features)": (False, {"plain": ((2, 10), (20.0, 100.0))})}
    *curves, matrix = [figure.caption for figure in section.figures]
    assert curves == [f"{name} over the number of learned tasks" for name in sorted(drawn)]
    assert matrix.startswith("aligned (RA") and "accuracy [%] of each class" in matrix
    (table,) = section.tables
    assert [row[:3] for row in table.rows] == [["FID (mnist classifier features)", "SFT", "plain"],
                                               ["accuracy [%]", "SFT", "plain"], ["accuracy [%]", "RA", "aligned"]]


def test_tsne_without_the_data_says_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config("svhn", 3)
    directory = write_run(tmp_path / "run", config)
    write_checkpoint(directory, config, 0, seed=0)

    def no_download(*_, **__):
        raise UserError("svhn: no files")

    monkeypatch.setattr(sections.pretrained, "evaluation_classifier", no_download)
    (section,) = sections.tsne_sections(mergan_runs([directory]), Options(data_dir="nowhere", tsne_samples=5))
    assert section.text == "Not drawn: svhn: no files." and not section.figures


@pytest.mark.full
def test_tsne_compares_runs_and_tasks(digits, monkeypatch):
    """With an untrained classifier: real images of class 0 and those of every finished task."""
    from lib.classifiers.networks import build_classifier

    monkeypatch.setattr(sections.pretrained, "evaluation_classifier", lambda name, _: build_classifier(name, seed=1))
    other = write_run(digits.parent / "other", Config("digits", 3))
    write_checkpoint(other, Config("digits", 3), 1, seed=7)
    groups = []
    embed = tsne.embed
    monkeypatch.setattr(tsne, "embed", lambda found: groups.append([len(group) for group in found]) or embed(found))
    found = sections.tsne_sections(mergan_runs([digits, other]), Options(data_dir="nowhere", tsne_samples=8))
    assert [section.title for section in found] == ["t-SNE of class 0", "t-SNE of class 0 over the tasks"]
    beside, over = found
    assert ["two" in figure.caption for figure in beside.figures] == [True, False]
    assert len(over.figures) == 1 and b"after 1" in over.figures[0].data and b"after 2" in over.figures[0].data
    assert sorted(groups) == [[8, 8, 8], [8, 8, 8]]
    assert "digits classifier features" in beside.text


def test_a_class_that_is_not_there(aligned):
    with pytest.raises(UserError, match="0 to 9"):
        sections.chapter(runs.read_all([aligned]), Options(data_dir="nowhere", label=10, tsne_samples=0))


@pytest.mark.full
@pytest.mark.parametrize("switch, missing", [
    ("generative_replay", {"Each class after each task", "First iterations of a new task: class 0"}),
    ("joint", {"Each class after each task", "First iterations of a new task: class 0"})])
def test_methods_without_a_latent_vector_per_class_or_without_tasks(tmp_path, switch, missing):
    config = Config("digits", 3, **{switch: True})
    directory = write_run(tmp_path / "run", config)
    for task in range(1 if config.joint else 2):
        write_checkpoint(directory, config, task, seed=task)
    for name in ("samples_2.png", "samples_3.png") if config.joint else ("Task_1_Iter_2.png", "Task_2_Iter_1.png"):
        write_sample(directory, name, 2 * np.arange(100))
    found = by_title(sections.chapter(runs.read_all([directory]), WITHOUT_TSNE))
    assert {title for title, section in found.items() if "Not shown: run" in section.text} == missing
    assert len(found["After the last task"].figures) == len(found["Learning"].figures) == 1
