"""The order of images: the original's figures, and what a resumed run relies on."""

import json
import pathlib

import numpy as np
import pytest

from lib.data import batching, folders
from lib.errors import UserError
from lib.mergan.data import tf1_epoch_order, tf1_order, tf1_slots
from tests import written
from tests.golden import records
from tests.process import passed

BATCHING = json.loads((pathlib.Path(records.__file__).parent / "figures" / "mergan_data.json").read_text())[
    "cases"]["lsun_batching"]
COUNT, BATCH = BATCHING["images"], BATCHING["batch"]


@pytest.mark.parametrize("epoch", BATCHING["epochs"], ids=lambda epoch: f"epoch {epoch['epoch']}")
def test_golden_batching(epoch):
    order = tf1_epoch_order(COUNT, epoch["epoch"])
    assert order.tolist() == epoch["shuffled_order"]
    assert tf1_slots(order, BATCH).tolist() == epoch["batches"]


def test_slots_as_the_loader_fills_them():
    """The same from an array that is filled and yielded as the notes on the original tell it."""
    for count, size in ((9, 4), (8, 4), (13, 5), (7, 1), (64 * 3 + 1, 64)):
        order = np.random.RandomState(count).permutation(count)
        slots, expected = np.zeros(size, int), []
        for number, image in enumerate(order):
            slots[number % size] = image
            if number and number % size == 0:
                expected.append(slots.tolist())
        assert tf1_slots(order, size).tolist() == expected


def test_some_rows_evenly_over_all():
    assert batching.evenly(11, 3).tolist() == [0, 5, 10] and batching.evenly(4, 1).tolist() == [0]
    assert batching.evenly(3, 5).tolist() == [0, 1, 2] and batching.evenly(0, 5).tolist() == []


IMAGES = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
LABELS = np.arange(COUNT, dtype=np.int32) + 100


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number, image in enumerate(IMAGES):
        written.put(folder / f"{number:03}.png", written.image(image))
    return folders.files(str(folder))


def numbers(images):
    return images[..., 0, 0, 0].tolist()


def from_memory(seed=1, stream="task 0"):
    return batching.Batches(IMAGES, LABELS, BATCH, seed, stream)


def from_files(paths, seed=1, stream="task 0", **options):
    return batching.FolderBatches(paths, 5, 8, BATCH, seed, stream, **options)


def test_batches_are_a_function_of_seed_stream_and_number():
    images, labels = from_memory().take(0, 9)
    assert images.shape == (9, BATCH, 8, 8, 3) and images.dtype == np.uint8
    assert labels.shape == (9, BATCH) and labels.dtype == np.int32
    np.testing.assert_array_equal(labels - 100, images[..., 0, 0, 0])  # labels stay with their images
    for start in range(9):
        np.testing.assert_array_equal(from_memory().take(start, 9 - start)[0], images[start:])
    batches = from_memory()
    for number in (8, 0, 5, 4, 8):  # in any order
        np.testing.assert_array_equal(batches.take(number, 1)[0][0], images[number])
    for other in (from_memory(seed=2), from_memory(stream="task 1")):
        assert numbers(other.take(0, 9)[0]) != numbers(images)


def test_an_epoch_has_no_image_twice_and_the_next_is_another():
    epochs = np.array(numbers(from_memory().take(0, 9)[0])).reshape(3, -1)
    for number, epoch in enumerate(epochs):
        assert len(set(epoch)) == len(epoch) == COUNT // BATCH * BATCH
        np.testing.assert_array_equal(epoch, batching.epoch_order(COUNT, 1, "task 0", number)[:len(epoch)])
    assert len({tuple(epoch) for epoch in epochs}) == 3
    # What one epoch leaves out is drawn in others.
    assert set(np.array(numbers(from_memory().take(0, 60)[0])).ravel()) == set(range(COUNT))


def test_every_image_is_as_likely_everywhere():
    first = [batching.epoch_order(5, 3, "stream", epoch)[0] for epoch in range(2000)]
    assert np.abs(np.bincount(first) - 400).max() < 100  # 5.6 standard deviations


def test_files_come_in_the_order_of_memory(paths):
    images, labels = from_files(paths).take(0, 9)
    np.testing.assert_array_equal(images, from_memory().take(0, 9)[0])
    assert labels.dtype == np.int32 and labels.shape == (9, BATCH) and (labels == 5).all()
    batches = from_files(paths)
    for start, count in ((0, 2), (2, 3), (5, 1), (2, 4), (7, 2)):  # going on, and starting again anywhere
        np.testing.assert_array_equal(batches.take(start, count)[0], images[start:start + count])


@pytest.mark.parametrize("order", [None, tf1_order(COUNT, BATCH, "all")])
def test_labels_stay_with_their_files(paths, order):
    batches = batching.FolderBatches(paths, LABELS, 8, BATCH, 1, "all", order)
    images, labels = batches.take(0, 9)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels - 100, images[..., 0, 0, 0])


def test_files_in_the_original_order(paths):
    """The original trains from epoch 2 on."""
    order, expected = tf1_order(COUNT, BATCH, "task 0"), BATCHING["epochs"]
    assert numbers(from_files(paths, order=order).take(0, 3)[0]) == expected[1]["batches"]
    assert numbers(from_files(paths, order=order).take(2, 1)[0]) == expected[1]["batches"][2:]
    assert numbers(from_files(paths, order=order).take(3, 3)[0]) == tf1_slots(tf1_epoch_order(COUNT, 3), BATCH).tolist()


def test_fewer_images_than_a_batch(paths):
    assert numbers(batching.Batches(IMAGES[:4], LABELS[:4], 4, 0, "x").take(0, 1)[0])
    for make in (lambda: batching.Batches(IMAGES[:3], LABELS[:3], 4, 0, "task 7"),
                 lambda: batching.FolderBatches(paths[:3], 0, 8, 4, 0, "task 7"),
                 lambda: tf1_order(4, 4, "task 7")):
        with pytest.raises(UserError, match="^task 7: [34] images are fewer than the [45] that a batch takes"):
            make()


def test_a_broken_image_is_one_line_when_its_batch_comes(paths, tmp_path, capfd):
    order = batching.epoch_order(COUNT, 1, "task 0", 0)
    broken = list(paths)
    broken[order[BATCH]] = written.put(tmp_path / "broken.png", b"text")
    batches = from_files(broken)
    np.testing.assert_array_equal(batches.take(0, 1)[0], from_memory().take(0, 1)[0])
    with pytest.raises(UserError, match="broken.png: cannot be decoded"):
        batches.take(1, 1)
    np.testing.assert_array_equal(batches.take(2, 1)[0], from_memory().take(2, 1)[0])
    assert "Traceback" not in capfd.readouterr().err


_MEASURE = """
import resource, sys
from lib.data import batching, folders
paths = folders.files(sys.argv[1]) * int(sys.argv[2])
batches = batching.FolderBatches(paths, 0, 64, 4, 0, "x")
for start in range(0, 40, 4):
    batches.take(start, 4)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(place, tmp_path):
    for number, picture in enumerate(written.random_images(20, 256, 3)):
        written.put(tmp_path / f"{number}.png", written.image(picture))
    peaks = [int(passed(place.run(["-c", _MEASURE, str(tmp_path), repeats]))) for repeats in ("1", "5000")]
    assert peaks[1] - peaks[0] < 50_000  # KiB; the 100,000 images would be 1.2 GB resized, 20 GB as they are


_ENDS_WHILE_READING = """
import sys, time
import numpy as np
from lib.data import batching

def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

def image(number, side):
    busy(0.02)
    return np.full((side, side, 3), number, np.uint8)

sys.setswitchinterval(1000)
batches = batching.FolderBatches(list(range(200)), 0, 8, 4, 0, "x", decode=image)
first = batches.take(0, 1)[0]
batches.take(7, 1)
assert (batches.take(0, 1)[0] == first).all()
busy(0.3)
"""


@pytest.mark.parametrize("attempt", range(2))
def test_the_process_ends_while_reading_ahead(place, attempt):
    """Closing the iterator during the interpreter's shutdown waits forever for a call that is about to begin.

    Nobody gives up the interpreter's lock unasked here, so that such a call waits for it when the program ends;
    without the closing at exit five of six attempts hung.
    """
    ended = place.run(["-c", _ENDS_WHILE_READING], timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "Error" not in ended.stderr and "finaliz" not in ended.stderr
