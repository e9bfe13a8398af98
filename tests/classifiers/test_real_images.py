"""Real images: class numbers of lsun's classifier, files read like arrays, fingerprints that tell data apart."""

import numpy as np
import pytest
from PIL import Image

from lib.classifiers import real_images
from lib.data import sources
from lib.errors import UserError

SCENES = {"bedroom": 0, "kitchen": 1, "church_outdoor": 8, "tower": 6}


def write_lsun(data_dir, count: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Drawn 64x64 images per scene, losslessly, so that reading gives back what was drawn."""
    generator = np.random.default_rng(seed)
    drawn = {}
    for scene in SCENES:
        drawn[scene] = generator.integers(0, 256, [count, 64, 64, 3], dtype=np.uint8)
        for split in ("train", "val"):
            folder = data_dir / "lsun" / scene / split
            folder.mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(drawn[scene]):
                Image.fromarray(image).save(folder / f"{number}.png")
    return drawn


@pytest.mark.parametrize("split", ["train", "test"])
def test_lsun_comes_with_the_numbers_of_its_classifier(tmp_path, split):
    drawn = write_lsun(tmp_path)
    images, labels, _ = real_images.load("lsun", split, tmp_path)
    assert len(images) == 12 and images.dtype == np.uint8
    assert labels.dtype == np.int32 and labels.tolist() == [0, 0, 0, 1, 1, 1, 8, 8, 8, 6, 6, 6]
    everything = np.concatenate(list(drawn.values()))
    assert np.array_equal(images[:], everything)
    assert np.array_equal(images[2:7], everything[2:7])
    chosen = np.array([11, 0, 3, 3])
    assert np.array_equal(images[chosen], everything[chosen])


def test_other_data_sets_are_arrays():
    images, labels, _ = real_images.load("digits", "test", "nowhere")
    expected = sources.load("digits", "test")
    assert np.array_equal(images, expected.images) and np.array_equal(labels, expected.labels)


def test_fingerprint_of_arrays_changes_with_pixels_labels_and_whatever_else_matters():
    images, labels, _ = real_images.load("digits", "test", "nowhere")
    changed, relabelled = images.copy(), labels.copy()
    changed[7, 5, 5, 0] ^= 1
    relabelled[3] = (relabelled[3] + 1) % 10
    prints = [real_images.RealImages(images, labels).fingerprint(*others) for others in ((), ("recipe",))]
    prints += [real_images.RealImages(*data).fingerprint() for data in ((changed, labels), (images, relabelled))]
    assert len(set(prints)) == 4
    assert real_images.RealImages(images.copy(), labels.copy()).fingerprint() == prints[0]


def test_fingerprint_of_files_changes_with_names_and_pixels(tmp_path):
    write_lsun(tmp_path / "a")
    write_lsun(tmp_path / "b")
    write_lsun(tmp_path / "c", seed=1)
    write_lsun(tmp_path / "d")
    (tmp_path / "d/lsun/tower/train/1.png").rename(tmp_path / "d/lsun/tower/train/1a.png")
    prints = {name: real_images.load("lsun", "train", tmp_path / name).fingerprint() for name in "abcd"}
    assert prints["a"] == prints["b"]
    assert len(set(prints.values())) == 3


def test_broken_and_missing_files(tmp_path):
    write_lsun(tmp_path)
    broken = tmp_path / "lsun/kitchen/train/1.png"
    broken.write_bytes(broken.read_bytes()[:500])
    images = real_images.load("lsun", "train", tmp_path).images
    with pytest.raises(UserError, match="kitchen/train/1.png"):
        images[:]
    with pytest.raises(UserError, match="lsun"):
        real_images.load("lsun", "train", tmp_path / "nowhere")
