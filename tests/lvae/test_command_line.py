"""What a command line asks for, and what it says where that does not go together."""

import dataclasses
import json

import pytest

from lib.errors import UserError
from lib.run import place
from lvae import command_line, places
from lvae.config import EXPERIMENTS, make_config

# settings.json of `run_mnist_experiment.py --sequential=True`, as the program wrote it before settings were dataclass
# fields: runs that were begun then are found again by these keys and values.
_WRITTEN_BEFORE = json.loads("""
{"system": "Lifelong VAE", "experiment": "mnist", "architecture": {"body": "cnn", "image_shape": [32, 32, 3],
 "likelihood": "bernoulli", "encoder_sizes": [], "decoder_sizes": []}, "sequential": true, "method": "lifelong",
 "latent_size": 20, "use_bn": false, "use_ln": false, "reparam_type": "continuous", "epochs": 100, "batch_size": 100,
 "min_interval": 3000, "max_dist_swaps": 32, "test_interval": 200, "learning_rate": 0.001, "mutual_info_reg": 0.0,
 "rotate": [], "compress_rotations": false, "permutations": 5, "formulas": "tf1", "continuous_mut_info": 0.0,
 "discrete_mut_info": 0.0, "monte_carlo_infogain": false, "mut_clamp_strategy": "clamp", "mut_clamp_value": 100.0,
 "consistency_gamma": 1.0, "likelihood_gamma": 0.0, "generative_scale_var": 1.0, "kl_reg": 1.0, "ewc_gamma": 0.0,
 "ewc_samples": 10000, "optimizer": "adam", "seed": 0, "precision": "float32", "tf1_exact": false}""")


def _config(experiment: str, *arguments: str):
    return command_line.read(experiment, list(arguments))[0]


def test_what_is_not_asked_for_has_the_defaults():
    for experiment in EXPERIMENTS.keys() - {"folder"}:  # whose architecture its images decide
        asked = dataclasses.replace(_config(experiment), precision="float32")  # auto until the device is known
        assert asked == make_config(experiment)


def test_settings_are_stored_as_before():
    config = dataclasses.replace(_config("mnist", "--sequential=True"), precision="float32")
    assert places.settings_of(config, "") == _WRITTEN_BEFORE
    assert places.settings_of(config, "vae0.cpkt") == _WRITTEN_BEFORE | {"load_model": "vae0.cpkt"}


def test_only_an_experiments_own_data_are_rotated(capsys):
    both = _config("mixed_svhn_mnist", "--rotate_svhn", "--rotate_mnist=False")
    assert both.rotate == ("svhn",)
    assert _config("fashion", "--rotate_svhn").rotate == ()
    assert "no such flag, passed over: --rotate_svhn" in capsys.readouterr().err


def test_only_permuted_mnist_has_permutations(capsys):
    assert _config("permuted_mnist", "--permutations=3").permutations == 3
    assert _config("mnist", "--permutations=3").permutations == 5
    assert "passed over: --permutations=3" in capsys.readouterr().err


def test_a_weight_of_the_kl_can_be_asked_for():
    assert _config("mnist", "--kl_reg=0.5").kl_reg == 0.5


@pytest.mark.parametrize("arguments, message", [
    (("--method=ewc",), "--ewc_gamma above 0"), (("--ewc_gamma=1",), "without --method=ewc"),
    (("--latent_size=0",), "--latent_size=0"), (("--formulas=keras",), "tf1, pytorch")])
def test_what_does_not_go_together_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        _config("fashion_dnn", *arguments)


def test_runs_that_start_together_get_a_directory_each(tmp_path):
    first, second = (places.found(tmp_path, _WRITTEN_BEFORE, "auto") for _ in range(2))
    assert [first.name, second.name] == ["experiment_0", "experiment_1"]


@pytest.mark.parametrize("mark", [place.FINISHED, "complete.json"])
def test_the_newest_unfinished_run_of_the_same_settings_goes_on(tmp_path, mark):
    for number, settings in ((1, _WRITTEN_BEFORE), (2, _WRITTEN_BEFORE), (10, {"seed": 1})):
        directory = tmp_path / f"experiment_{number}"
        directory.mkdir()
        (directory / "settings.json").write_text(json.dumps(settings))
    assert places.found(tmp_path, _WRITTEN_BEFORE, "auto").name == "experiment_2"
    (tmp_path / "experiment_2" / mark).write_text("")
    assert places.found(tmp_path, _WRITTEN_BEFORE, "auto").name == "experiment_1"
    assert places.found(tmp_path, _WRITTEN_BEFORE, "never").name == "experiment_0"
