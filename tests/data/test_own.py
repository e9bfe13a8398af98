"""Images of one's own: what is found in a folder or an .npz file, and what is refused."""

import os

import numpy as np
import pytest

from lib.data import folders, limits, own
from lib.errors import UserError
from tests import written


def npz(path, **arrays) -> str:
    np.savez(path, **arrays)
    return str(path)


def test_classes_by_number_and_every_tenth_image_for_testing(tmp_path, capsys):
    images = written.classes(tmp_path / "own", {"10": 3, "9": 20, "_b": 12}, side=32)
    written.put(tmp_path / "own/9/.hidden.png", b"")
    written.put(tmp_path / "own/9/notes.txt", b"")
    found = own.opened(str(tmp_path / "own"), 32)
    assert (found.classes, found.channels, str(found)) == (("9", "10", "_b"), 1, "folder")
    train, test = found.arrays("train"), found.arrays("test")
    assert np.bincount(train.labels).tolist() == [18, 2, 11] and test.labels.tolist() == [0, 0, 1, 2]
    np.testing.assert_array_equal(test.images[..., 0], np.stack([images["9"][9], images["9"][19], images["10"][2],
                                                                 images["_b"][9]]))
    said = capsys.readouterr().out
    assert "3 classes (9, 10, _b), 31 training and 4 test images, grey" in said and "middle square" not in said
    assert not found.is_large


def test_a_list_of_classes_folders_for_both_splits_links_and_colour(tmp_path, capsys):
    for split, count in (("train", 3), ("val", 1)):
        written.classes(tmp_path / "own" / split, {"a": count, "b": count, "left out": 1}, side=40)
    written.put(tmp_path / "own/classes.txt", "b\n\nlinked\na\n".encode())
    for split in ("train", "val"):
        os.symlink("a", tmp_path / "own" / split / "linked")
    written.put(tmp_path / "own/val/b/colour.jpg", written.image(written.random_images(1, 50, 3)[0], "JPEG"))
    found = own.opened(str(tmp_path / "own"), 64)
    assert (found.classes, found.channels) == (("b", "linked", "a"), 3)
    assert found.labels("test").tolist() == [0, 0, 1, 2] and found.arrays("train").images.shape == (9, 64, 64, 3)
    assert "images of 40 x 40 to 50 x 50 pixels: the middle square" in capsys.readouterr().out


def test_a_folder_of_classes_that_may_not_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(UserError, match="cannot be listed .Permission denied"):
        own.opened(str(tmp_path), 32)


def test_an_npz_file(tmp_path, monkeypatch):
    images = written.random_images(22, 32, 3)
    path = npz(tmp_path / "own.npz", images=images, labels=np.arange(22) % 2)
    found = own.opened(path, 32)
    assert (found.classes, found.channels) == (("0", "1"), 3)
    train, test = found.arrays("train"), found.arrays("test")
    np.testing.assert_array_equal(test.images, images[[18, 19]])
    np.testing.assert_array_equal(train.images[10:], images[[*range(1, 19, 2), 21]])
    monkeypatch.setattr(limits, "MAX_BYTES", images.nbytes - 1)
    assert found.is_large


def _no_classes(path):
    written.put(path / "a.png", b"")


def _unreadable(path):
    written.classes(path, {"a": 4})
    for name in "23":
        written.put(path / f"a/{name}.png", b"no image")


@pytest.mark.parametrize("make, message", [
    (lambda path: None, "own: no such folder"),
    (_no_classes, "own: no folders in it; one folder for each class"),
    (lambda path: written.classes(path, {"a": 4, "b": 1}), "own/b: a single image"),
    (lambda path: written.put(path / "a/notes.txt", b""), "own/a: no image files"),
    (_unreadable, "own/a/2.png: cannot be decoded .*; 1 more like it: .*own/a/3.png"),
    (lambda path: (written.classes(path, {"a": 2}), written.put(path / "classes.txt", b"a\nc\n")), "'c' is no folder"),
])
def test_folders_that_are_refused(tmp_path, make, message):
    make(tmp_path / "own")
    with pytest.raises(UserError, match=message) as caught:
        own.opened(str(tmp_path / "own"), 32)
    assert "\n" not in str(caught.value)


IMAGES, LABELS = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])


@pytest.mark.parametrize("arrays, message", [
    ({"images": IMAGES}, "cannot be read .*labels"),
    ({"images": IMAGES.astype(np.float32), "labels": LABELS}, r"images are float32 \[4, 8, 8\]; bytes"),
    ({"images": IMAGES, "labels": LABELS[:3]}, r"labels are int64 \[3\] for 4 images"),
    ({"images": IMAGES, "labels": LABELS - 1}, "labels from -1 to 0; they are to be 0, 1, ..."),
    ({"images": IMAGES, "labels": LABELS * 2}, "class 1: no image"),
    ({"images": IMAGES, "labels": LABELS * 9}, "labels from 0 to 9"),
    ({"images": IMAGES, "labels": np.array([0, 0, 0, 1])}, "class 1: a single image"),
])
def test_arrays_that_are_refused(tmp_path, arrays, message):
    with pytest.raises(UserError, match=message):
        own.opened(npz(tmp_path / "own.npz", **arrays), 32)


def test_a_file_that_is_no_npz(tmp_path):
    with pytest.raises(UserError, match="no .npz file"):
        own.opened(written.put(tmp_path / "own.npz", b"junk"), 32)
