"""Where runs lie, and that those of earlier versions are found again."""

import json

from lib import files
from lib.run.options import Options
from memorygan import places
from memorygan.config import make_config

# The settings.json of `--dataset=fashion` as versions wrote it whose settings stood in tables.
WRITTEN_BEFORE = json.loads("""{
  "system": "memoryGAN", "dataset": "fashion", "z_dim": 2, "f_dim": 64, "fc_dim": 1024, "mem_size": 4096,
  "key_dim": 256, "choose_k": 128, "lamb": 0.01, "beta1": 0.5, "beta2": 0.999, "model": "MemoryGAN", "loss": "jsd",
  "generator": "base_g", "discriminator": "memory_d", "memory_update": "em", "slot_sampling": true,
  "em_iterations": 1, "lr": 0.0002, "lr_decay": false, "use_augmentation": false, "epoch": 1500, "batch_size": 64,
  "seed": 0, "precision": "float32", "tf1_exact": false, "load_cp_dir": ""}""")


def settings(config):
    return {"system": "memoryGAN", **config.as_settings(), "load_cp_dir": ""}


def test_an_unfinished_run_of_an_earlier_version_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, directory = make_config("fashion"), tmp_path / "logs/0/2026-01-01-00:00:00_MemoryGAN_0.0002"
    files.make_directory(directory)
    files.write_json(directory / "settings.json", WRITTEN_BEFORE)
    assert settings(config) == WRITTEN_BEFORE
    assert places.found(config, "0", settings(config), Options()).name == directory.name


def test_runs_that_start_in_the_same_second_get_a_directory_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seconds = iter(["10:00:00", "10:00:00", "10:00:01"])
    monkeypatch.setattr(places.time, "strftime", lambda form: next(seconds))
    monkeypatch.setattr(places.time, "sleep", lambda duration: None)
    config = make_config("fashion", model="GAN")
    first, second = (places.found(config, "0", settings(config), Options()) for _ in range(2))
    assert [logs.name for logs in (first, second)] == ["10:00:00_GAN_0.0002", "10:00:01_GAN_0.0002"]
    assert first.is_dir() and second.is_dir()


def test_each_model_has_its_discriminator_unless_one_is_named():
    assert make_config("fashion").discriminator == "memory_d"
    assert make_config("fashion", model="GAN").discriminator == "base_d"
    assert make_config("fashion", model="GAN", discriminator="memory_d").discriminator == "memory_d"
