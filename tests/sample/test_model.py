"""What all systems' models have in common, and the writers, by a model that draws its own numbers."""

import numpy as np
import pytest
from PIL import Image

from lib.errors import UserError
from lib.sample import writing
from lib.sample.model import Drawn, Model


class Counting(Model):
    """Images of the label's shade; z is the image's number in all batches of its label."""

    def __init__(self, names=("cat", "dog", "7"), batch=4):
        super().__init__("run", names, (2, 3, 1), 1, batch)

    def _batch(self, label, number, seed, batch):
        z = np.arange(number * batch, (number + 1) * batch, dtype=np.float32)[:, None]
        return Drawn(np.full([batch, 2, 3, 1], label or 0, np.uint8), np.full([batch], label or 0, np.int32), z)


def test_a_count_is_spread_over_the_classes_and_cut_from_full_batches():
    drawn = Counting().sample(["dog", 2, "0"], count=11)
    assert drawn.labels.tolist() == [1] * 4 + [2] * 4 + [0] * 3
    assert drawn.z[:, 0].tolist() == [*range(4), *range(4), *range(3)]
    assert Counting().sample([1], count=9).z[:, 0].tolist() == list(range(9))
    assert np.bincount(Counting().sample(count=7).labels).tolist() == [3, 2, 2]
    assert len(Counting(names=()).sample(count=5).labels) == 5  # without classes


def test_a_name_comes_before_a_number():
    assert set(Counting().sample(["7"], count=2).labels) == {2}
    assert set(Counting(("1", "0")).sample(["1"], count=2).labels) == {0}


@pytest.mark.parametrize("asked, said", [
    ({"classes": ["bird"]}, "no class bird; there is cat, dog, 7"), ({"classes": [3]}, "no class 3"),
    ({"classes": [-1]}, "no class -1"), ({"classes": [1.5]}, "no class 1.5"), ({"classes": []}, "no class is asked"),
    ({"slots": [1]}, "not asked by slot but by class"), ({"count": 0}, "--count=0"), ({"batch": 0}, "--batch=0")])
def test_what_cannot_be_asked_for_is_refused(asked, said):
    with pytest.raises(UserError, match=said):
        Counting().sample(**asked)
    with pytest.raises(UserError, match="no posterior"):
        Counting().reconstructed(np.zeros([1, 2, 3, 1], np.uint8))


def test_files_hold_what_was_drawn(tmp_path):
    model = Counting()
    drawn = model.sample(count=10)
    writing.write(tmp_path / "new/samples.npz", model.stream(count=10), 10, model)
    with np.load(tmp_path / "new/samples.npz") as arrays:
        assert {name: array.dtype for name, array in arrays.items()} == {"images": "u1", "labels": "i4", "z": "f4"}
        for name, column in drawn._asdict().items():
            np.testing.assert_array_equal(arrays[name], column)
    writing.write(tmp_path / "folder", model.stream(count=10), 10, model)
    paths = sorted((tmp_path / "folder").rglob("*.png"))
    assert [path.parent.name for path in paths] == ["7"] * 3 + ["cat"] * 4 + ["dog"] * 3
    for path, shade in zip(paths, [2] * 3 + [0] * 4 + [1] * 3):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), np.full([2, 3], shade))  # grey: no channels


@pytest.mark.parametrize("name", ["samples.npz", "folder"])
def test_what_ends_early_leaves_nothing(tmp_path, name):
    def ending():
        yield from Counting().stream(count=4)
        raise UserError("no more")

    with pytest.raises(UserError, match="no more"):
        writing.write(tmp_path / name, ending(), 8, Counting())
    assert not list(tmp_path.iterdir())
