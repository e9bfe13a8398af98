"""The classifiers that judge memoryGAN's images."""

import numpy as np
import pytest

from lib.classifiers import networks, pretrained
from lib.classifiers.real_images import RealImages
from lib.classifiers.training import JUDGES


def patches(count: int, seed: int, side: int = 28, channels: int = 1) -> RealImages:
    """Class k is bright in the k-th of ten horizontal bands: anyone can tell them apart."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, 10, count).astype(np.int32)
    images = random.randint(0, 60, (count, side, side, channels)).astype(np.uint8)
    for image, label in zip(images, labels):
        image[label * side // 10:(label + 1) * side // 10] += 180
    return RealImages(images, labels)


@pytest.mark.parametrize("build, side, channels", [
    (networks.residual_network, 28, 1), (networks.residual_network, 32, 3), (networks.small_alexnet, 40, 1)])
def test_judges_give_probabilities_of_ten_classes(build, side, channels):
    model = build((side, side, channels), 0)
    images = patches(6, 0, side, channels).images
    rows = pretrained.probabilities(model, [images[:4], images[4:]], mirrored=False)
    assert rows.shape == (6, 10)
    np.testing.assert_allclose(rows.sum(axis=1), np.ones(6), rtol=1e-5)
    both = pretrained.probabilities(model, [images], mirrored=True)
    turned = pretrained.probabilities(model, [np.ascontiguousarray(images[:, :, ::-1])], mirrored=False)
    np.testing.assert_allclose(both, (rows + turned) / 2, rtol=1e-5)
    assert np.abs(both - rows).max() > 1e-4
    # The same seed, the same initial weights.
    again = pretrained.probabilities(build((side, side, channels), 0), [images[:4], images[4:]], mirrored=False)
    np.testing.assert_array_equal(again, rows)


@pytest.mark.full
def test_a_judge_learns_is_kept_and_is_read_again(tmp_path, monkeypatch, capsys):
    judge = JUDGES["mnist"]
    monkeypatch.setitem(JUDGES, "mnist", judge._replace(recipe=judge.recipe._replace(epochs=4, shift=0)))
    data, test = patches(1024, 0), patches(100, 1)
    first = pretrained.judge_of("mnist", data, test, str(tmp_path))
    (path,) = (tmp_path / "mnist").iterdir()
    accuracy = np.mean(pretrained.probabilities(first, [test.images], False).argmax(axis=1) == test.labels)
    assert accuracy > 0.9
    capsys.readouterr()
    again = pretrained.judge_of("mnist", data, test, str(tmp_path))
    output = capsys.readouterr().out
    assert "training" not in output and f"accuracy {accuracy:.2%} on 100 real test images" in output
    for ours, theirs in zip(first.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    # Other images, another file.
    pretrained.judge_of("mnist", patches(256, 2), test, str(tmp_path))
    assert len(list((tmp_path / "mnist").iterdir())) == 2 and path.exists()
