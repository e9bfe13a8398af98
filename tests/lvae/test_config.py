"""Settings: shapes and what follows from flags."""

from lvae.config import EXPERIMENTS, Architecture, Config


def test_dense_networks_see_flat_images():
    assert Architecture("dense", (28, 28, 1), "bernoulli").input_shape == (784,)
    assert Architecture("cnn", (32, 32, 3), "bernoulli").input_shape == (32, 32, 3)


def test_layer_norm_wins():
    shape = EXPERIMENTS["mnist"].architecture
    assert Config("mnist", shape, use_bn=True, use_ln=True).normaliser == "layer"
    assert Config("mnist", shape, use_bn=True).normaliser == "batch"
    assert Config("mnist", shape).normaliser is None


def test_every_test_set_has_files_of_its_own():
    for experiment in EXPERIMENTS.values():
        assert len(set(experiment.csv_prefixes)) == len(experiment.csv_prefixes)
        assert experiment.whole or len(experiment.csv_prefixes) == len(experiment.sources)
