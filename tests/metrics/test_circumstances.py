"""No figure without what it depends on."""

import numpy as np
import pytest

from lib.classifiers import pretrained
from lib.classifiers.features import Extractor
from lib.mergan.report import gallery
from lib.metrics import frechet
from lvae.frechet import circumstances


@pytest.fixture
def flat():
    return Extractor("flat", lambda images: np.reshape(images, (len(images), -1)))


@pytest.mark.parametrize("count, warned", [(3, True), (4, True), (5, False), (40, False)])
def test_a_distance_of_no_more_images_than_features_is_warned_of(flat, count, warned):
    images = np.random.default_rng(1).standard_normal([count, 2, 2, 1])
    result = frechet.fid(flat, [images], [images])
    assert (result.real, result.generated, result.features) == (count, count, 4)
    assert result.circumstances.startswith(f"{count} real and {count} generated images, 4 features")
    assert ("warning" in result.circumstances) == warned


def test_the_side_with_fewer_images_decides():
    assert "warning" in frechet.circumstances(10, 500, 128) and "warning" in frechet.circumstances(500, 10, 128)


def test_the_lifelong_vaes_distances_say_what_real_images_get():
    numbers = {"real_images": 50, "generated_images": 60, "features": 8, "real_training_images": 40,
               "distance_of_real_training_images": 1.25}
    assert circumstances(numbers) == ("50 real and 60 generated images, 8 features; 40 real training images get 1.25")


def test_a_classifier_is_known_with_its_own_accuracy(capsys):
    class Foreign:
        pass

    known = Foreign()
    pretrained._note_accuracy(known, "the judge", np.array([1, 2, 3, 3]), np.array([1, 2, 3, 4]))
    assert pretrained.about(known) == {"classifier": "the judge", "accuracy": 0.75, "images": 4}
    assert capsys.readouterr().out == "the judge: accuracy 75.00% on 4 real test images\n"
    assert pretrained.about(Foreign()) == {}


def test_the_report_shows_what_figures_depend_on_and_bears_older_files():
    fid = {"real_images": 355, "generated_images": 350, "features": 128, "real_training_images": 350,
           "distance_of_real_training_images": 11.7}
    metrics = {"tasks": [{"task": 1, "FID (x)": 3.0}, {"task": 5, "FID (x)": 4.0, "fid": fid}],
               "classifier": {"classifier": "digits classifier p", "accuracy": 0.98, "images": 355}}
    assert gallery.circumstances(metrics) == [
        ["accuracy", "digits classifier p, accuracy 98.00% on 355 real test images"],
        ["FID after 5 tasks", "355 real and 350 generated images, 128 features; 350 real training images get 11.7"]]
    assert gallery.circumstances({"tasks": [{"task": 1, "average_accuracy": 0.5}]}) == []
    assert set(gallery.measures(metrics)) == {("FID (x)", 1), ("FID (x)", 5)}
