"""Settings: the original's tables, and what is refused."""

import json
from pathlib import Path

import pytest

from lib.errors import UserError
from memorygan.config import DATASETS, LOSSES, batches_drawn, ended_epoch, logs_of, make_config, max_iterations
from tests.process import ROOT

PUBLISHED = json.loads((ROOT / "lib/reproduce/published.json").read_text())["memorygan"]["settings"]
NAMES = {"fashion": "fashion-mnist", "affmnist": "affine-mnist"}  # where they are called otherwise


@pytest.mark.parametrize("dataset", [name for name in DATASETS if name != "mnist"])
def test_sizes_are_those_of_table_3_of_the_paper(dataset):
    data, published = DATASETS[dataset], PUBLISHED[NAMES.get(dataset, dataset)]
    assert (data.z_dim, data.key_dim, data.mem_size, data.side) == tuple(
        published[name] for name in ("noise_dim", "key_dim", "memory_size", "image_size"))


@pytest.mark.parametrize("field", ["model", "loss", "generator", "discriminator", "memory_update"])
def test_unknown_names_are_refused_with_the_known_ones(field):
    with pytest.raises(UserError, match=f"--{field}=nonsense.*one of"):
        make_config("fashion", **{field: "nonsense"})


def test_an_unknown_data_set_is_refused():
    with pytest.raises(UserError, match="--dataset=imagenet.*fashion"):
        make_config("imagenet")


def test_sizes_below_one_are_refused():
    with pytest.raises(UserError, match="--choose_k=0"):
        make_config("fashion", choose_k=0)


@pytest.mark.parametrize("checkpoints, logs", [
    ("/data/checkpoint/0/run", "/data/logs/0/run"), ("/checkpoint/checkpoint/0/run", "/checkpoint/logs/0/run"),
    ("/0/run", "/logs/0/run"), ("/run", "/run"), ("checkpoint/pretrained_model", "checkpoint/pretrained_model")])
def test_logs_lie_beside_a_runs_checkpoints_however_near_the_root(checkpoints, logs):
    assert logs_of(checkpoints) == Path(logs)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_accepted(loss):
    assert make_config("cifar10", loss=loss).loss == loss


def test_only_memorygan_with_slot_sampling_gives_the_generator_keys():
    assert make_config("fashion").generator_inputs == 258
    assert make_config("fashion", slot_sampling=False).generator_inputs == 2
    assert make_config("fashion", model="GAN").generator_inputs == 2


def test_an_epoch_ends_once_in_every_pass_over_the_images():
    config = make_config("fashion", batch_size=4, epoch=5)
    limit = max_iterations(config, 10)
    assert limit == 10
    reported = [ended_epoch(config, 10, iteration) for iteration in range(1, limit)]
    assert [epoch for epoch in reported if epoch] == [2, 3, 4]
    # Iteration 3 draws images 9 to 12: the first epoch's end lies in it.
    assert reported.index(2) + 1 == 3


def test_the_originals_epoch_ends_use_up_a_batch():
    for examples, batch in ((10, 4), (60, 7), (8, 8), (64, 1)):
        settings = make_config("fashion", batch_size=batch, tf1_exact=True)
        drawn = 0
        for iterations in range(1, 70):
            drawn += 1 + (ended_epoch(settings, examples, iterations) is not None)
            assert batches_drawn(settings, examples, iterations) == drawn
    assert batches_drawn(make_config("fashion", batch_size=4), 10, 30) == 30
