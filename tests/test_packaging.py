"""What `pip install .` gives: commands that work from any folder, and the packages that are imported."""

import importlib
import os
import re
import subprocess
import sys
import venv
from importlib import metadata

import pytest

from lib.errors import UserError
from lib.reproduce import __main__ as reproduce
from lvae import command_line
from tests.process import ROOT
from tests.test_imports import ROOMS, files_of, imports

SETUP = (ROOT / "setup.py").read_text()
COMMANDS = dict(re.findall(r'"([\w-]+) = ([\w.]+:\w+)"', SETUP))


def normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return name.lower().replace("_", "-")


def test_the_commands_are_there(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # scripts change its first entry
    assert set(COMMANDS) == {"mergan", "mergan-joint", "memorygan", "lvae"}
    for target in COMMANDS.values():
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function)), target


def test_what_is_imported_is_declared():
    names = {name.partition(".")[0] for package in ("lib", "benchmarks", *ROOMS) for path in files_of(package)
             for name in imports(path)}
    declared = {normal(name) for name in re.findall(r'^ +"([\w-]+).*",$', SETUP, re.M)}
    brought = {name: {normal(one) for one in by} for name, by in metadata.packages_distributions().items()
               if name in names - {"lib", "benchmarks", "lvae", "memorygan"}}
    assert len(brought) > 10
    assert {name for name, by in brought.items() if not by & declared} <= {"lmdb", "torch"}  # of `lsun` and `bench`


@pytest.mark.parametrize("arguments", [[], ["mnits"], ["--sequential"]])
def test_lvae_wants_an_experiment(arguments):
    with pytest.raises(UserError, match="begin with the experiment, .*mnist"):
        command_line.run_named(arguments)


def test_lvae_lists_its_experiments(capsys):
    command_line.run_named(["--help"])
    assert "fashion_dnn" in capsys.readouterr().out


def test_publishing_needs_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "run_table", lambda *_: pytest.fail("run"))
    monkeypatch.setattr(reproduce, "_PUBLISHED", tmp_path / "site-packages/results")
    with pytest.raises(UserError, match="no checkout"):
        reproduce.main(["mergan-mnist", "--publish"])


def test_the_scripts_start_without_what_other_systems_lack():
    """Windows has no fcntl, no codes EX_*, no SIGHUP and its like; macOS no affinity."""
    code = """if True:
        import os, runpy, signal, sys
        sys.modules["fcntl"] = sys.modules["resource"] = None
        for name in [*filter(lambda name: name.startswith("EX_"), dir(os)), "sched_getaffinity"]:
            delattr(os, name)
        for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"):
            delattr(signal, name)
        for script in ("mergan.py", "joint.py", "memorygan/run.py", "lvae/run_mnist_experiment.py"):
            sys.argv = [script, "--help"]
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                assert not end.code, script"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0 and ended.stdout.count("usage: ") == 4, ended.stderr


@pytest.mark.slow
def test_the_installed_commands_work_beside_a_lib_of_somebody_else(tmp_path):
    """Of this Python's own packages, so that none is fetched."""
    venv.create(tmp_path / "venv", system_site_packages=True, with_pip=False)
    python = tmp_path / "venv/bin/python"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (next((tmp_path / "venv/lib").glob("python*/site-packages")) / "others.pth").write_text(packages)
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
                    "--no-build-isolation", ROOT], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    (tmp_path / "here/lib").mkdir(parents=True)
    (tmp_path / "here/lib/__init__.py").write_text("")
    for line in ("mergan --dataset digits --tasks 1 --iters 2 --result_path a",
                 "mergan-joint --dataset digits --iters 2 --result_path b", "memorygan --help", "lvae mnist --help"):
        program, *arguments = line.split()
        ended = subprocess.run([tmp_path / "venv/bin" / program, *arguments], cwd=tmp_path / "here", text=True,
                               capture_output=True, env=environment)
        assert ended.returncode == 0, ended.stderr
