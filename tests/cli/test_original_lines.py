"""The originals' command lines, as their READMEs, scripts and users have them, through the parser of their system.

Each line stands with the settings that TF 1.4's flags, which were argparse's, gave it.
"""

import pytest

from lib.mergan import config as mergan
from lib.run.flags import Parser
from lib.run.options import Options
from lib.run.settings import settings_of
from lvae import command_line as lvae
from memorygan import config as memorygan

# --- MeRGAN: README and train.sh --------------------------------------------------------------------------------------

_SFT = {"dataset": "mnist", "RA": False, "JTR": False, "RA_factor": 1e-4, "iters": 0, "test": False, "load_model": ""}
_MERGAN = {
    "--dataset mnist --result_path mnist_SFT/": {"result_path": "mnist_SFT/"},
    "--dataset mnist --RA --RA_factor 1e-3  --result_path mnist_RA_1e_3/": {
        "RA": True, "RA_factor": 1e-3, "result_path": "mnist_RA_1e_3/"},
    "--dataset mnist --JTR --result_path mnist_JTR/": {"JTR": True, "result_path": "mnist_JTR/"},
    "--dataset mnist --test  --result_path result/mnist_RA_1e_3/": {
        "test": True, "result_path": "result/mnist_RA_1e_3/"},
    "--dataset svhn --RA --RA_factor 1e-2  --result_path svhn_RA_1e_2/": {
        "dataset": "svhn", "RA": True, "RA_factor": 1e-2, "result_path": "svhn_RA_1e_2/"},
    "--dataset svhn --test  --result_path result/svhn_RA_1e_2/": {
        "dataset": "svhn", "test": True, "result_path": "result/svhn_RA_1e_2/"},
    "--dataset mnist --test --result_path result/mnist_JTR/": {"test": True, "result_path": "result/mnist_JTR/"},
    "--dataset svhn --JTR --result_path svhn_JTR/": {"dataset": "svhn", "JTR": True, "result_path": "svhn_JTR/"},
    "--dataset svhn --test --result_path result/svhn_JTR/": {
        "dataset": "svhn", "test": True, "result_path": "result/svhn_JTR/"},
    "--dataset lsun --RA --RA_factor 1e-3 --result_path test_lsun_RA/": {
        "dataset": "lsun", "RA": True, "RA_factor": 1e-3, "result_path": "test_lsun_RA/"},
    "--dataset lsun --JTR --result_path test_lsun_RA/": {
        "dataset": "lsun", "JTR": True, "result_path": "test_lsun_RA/"},
    # What a user of its issue #4 trained for the published figures; its other threads, like those of the other two
    # originals, hold no command lines.
    "--dataset mnist --RA --RA_factor 1e-3 --iters 8001 --result_path mnist_RA_1e_3/": {
        "RA": True, "RA_factor": 1e-3, "iters": 8001, "result_path": "mnist_RA_1e_3/"},
    # No README has these, TF 1.4 took them.
    "": {"result_path": ""},
    "--data svhn --RA_f 1e-3 --iter 10": {"dataset": "svhn", "RA_factor": 1e-3, "iters": 10},
    "--dataset=mnist --RA=True --JTR=no --noRA": {"RA": False, "JTR": False},
    "--RA --JTR False --test N --load_model model/WGAN_GP.model0-4000": {
        "RA": True, "JTR": False, "test": False, "load_model": "model/WGAN_GP.model0-4000"},
    "--gpu=0 --JTR --gpus 1": {"JTR": True},
}
_JOINT = {
    "--dataset mnist --result_path mnist_joint/": {"result_path": "mnist_joint/"},
    "--dataset mnist --test --result_path result/mnist_joint/": {"test": True, "result_path": "result/mnist_joint/"},
    "--dataset svhn --result_path svhn_joint/": {"dataset": "svhn", "result_path": "svhn_joint/"},
    "--dataset svhn --test --result_path result/svhn_joint/": {
        "dataset": "svhn", "test": True, "result_path": "result/svhn_joint/"},
    "--iter 100 --data mnist": {"iters": 100},
}

# --- memoryGAN: README ------------------------------------------------------------------------------------------------

_FASHION = {"dataset": "fashion", "epoch": 1500, "exp": "0", "load_cp_dir": "", "loss": "jsd", "lr_decay": False,
            "use_augmentation": False, "is_train": True, "model": "MemoryGAN", "generator": "base_g"}
_MEMORYGAN = {
    "--dataset=fashion --lr_decay=False --use_augmentation=False": {},
    "--dataset=affmnist --lr_decay=False --use_augmentation=False": {"dataset": "affmnist"},
    "--dataset=cifar10 --lr_decay=True --use_augmentation=True": {
        "dataset": "cifar10", "lr_decay": True, "use_augmentation": True},
    "--dataset=cifar10 --is_train=False --load_cp_dir=checkpoint/pretrained_model": {
        "dataset": "cifar10", "is_train": False, "load_cp_dir": "checkpoint/pretrained_model"},
    "--is_train False --load_cp_dir checkpoint/pretrained_model --lr_decay": {
        "is_train": False, "load_cp_dir": "checkpoint/pretrained_model", "lr_decay": True},
    "--is_train=0 --load_cp=d --use_aug t --nolr_decay": {
        "is_train": False, "load_cp_dir": "d", "use_augmentation": True},
    "--model=GAN --discriminator=base_d --loss=alternative --exp 3 --epo 2": {
        "model": "GAN", "discriminator": "base_d", "loss": "alternative", "exp": "3", "epoch": 2},
}

# --- Lifelong VAE: README ---------------------------------------------------------------------------------------------

_VAE = {"sequential": False, "latent_size": 20, "epochs": 100, "batch_size": 100, "min_interval": 3000,
        "max_dist_swaps": 32, "device": "/gpu:0", "allow_soft_placement": True, "device_percentage": 0.3,
        "use_ln": False, "use_bn": False, "reparam_type": "continuous", "learning_rate": 1e-3, "mutual_info_reg": 0.0,
        "base_dir": ".", "rotate": (), "compress_rotations": False}
_LVAE = {
    '--base_dir=. --device=/gpu:0 --sequential=False --device_percentage=0.9 --latent_size=14 --use_bn=True '
    '--epochs=100': {"device_percentage": 0.9, "latent_size": 14, "use_bn": True},
    '--base_dir=. --device=/gpu:0 --sequential=True --device_percentage=0.9 --latent_size=14 --use_bn=True '
    '--min_interval=12000 --max_dist_swaps=32': {
        "sequential": True, "device_percentage": 0.9, "latent_size": 14, "use_bn": True, "min_interval": 12000},
    "--sequential True --use_bn True --use_ln f --rotate_mnist --compress": {
        "sequential": True, "use_bn": True, "rotate": ("mnist",), "compress_rotations": True},
    "--seq 1 --latent 2 --batch 64 --learn 1e-4 --mutual 0.1 --allow False": {
        "sequential": True, "latent_size": 2, "batch_size": 64, "learning_rate": 1e-4, "mutual_info_reg": 0.1,
        "allow_soft_placement": False},
}


def _values(arguments: str, *kinds: type) -> dict:
    """{flag: value} of a command line."""
    parser = Parser("")
    for kind in kinds:
        parser.add(kind)
    asked = parser.parse(arguments.split())
    return {about.flag: asked.values(kind)[name] for kind in kinds for name, about in settings_of(kind).items()}


def _assert_holds(found: dict, expected: dict) -> None:
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("line", _MERGAN)
def test_mergan(line):
    found = _values(line, mergan.Config, mergan.Command, mergan.Measured, Options)
    _assert_holds(found, _SFT | {"result_path": ""} | _MERGAN[line])


@pytest.mark.parametrize("line", _JOINT)
def test_joint(line):
    found = _values(line, mergan.Config, mergan.Command, mergan.Measured, Options)
    _assert_holds(found, {"dataset": "mnist", "iters": 0, "test": False, "result_path": ""} | _JOINT[line])


@pytest.mark.parametrize("line", _MEMORYGAN)
def test_memorygan(line):
    found = _values(line, memorygan.Config, memorygan.Command, memorygan.Measured, Options)
    _assert_holds(found, _FASHION | _MEMORYGAN[line])


@pytest.mark.parametrize("line", _LVAE)
def test_lifelong_vae(line):
    config, command, _ = lvae.read("mnist", line.split())
    _assert_holds({**vars(config), **vars(command)}, _VAE | _LVAE[line])


def test_what_tf_ignored_is_named(capsys):
    _values("--gpu=0 --JTR --gpus 1", mergan.Config)
    assert "no such flag, passed over: --gpu=0 --gpus 1" in capsys.readouterr().err
