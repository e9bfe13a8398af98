"""Command lines from settings, parsed as TF 1.4's argparse flags were."""

import dataclasses
import typing

import pytest

import lvae.config
import memorygan.config
from lib.errors import UserError
from lib.mergan import config
from lib.report import options as report
from lib.reproduce import __main__ as reproduce
from lib.run.flags import Parser
from lib.run.options import Options, Period
from lib.run.settings import Checked, Common, FilePath, setting


@dataclasses.dataclass(frozen=True)
class Config(Common):
    """Of a toy system."""

    dataset: str = setting("mnist", "What to learn.", choices=("mnist", "svhn"), original=True)
    iterations: int = setting(0, "How long.", flag="iters", least=0, original=True)
    alignment: bool = setting(False, "Align.", flag="RA", original=True)
    factor: float = setting(1e-4, "Weight.", flag="RA_factor", least=0.0, most=10.0, original=True)
    size: int = setting(None, "Size.", least=1)
    metrics: tuple[str, ...] = setting(("accuracy",), "Measures.", choices=("accuracy", "fid"))
    batch: int = 64  # no setting: no flag


@dataclasses.dataclass(frozen=True)
class Places(Checked):
    data_dir: str = setting("dataset", "Where.")


def read(*arguments: str) -> Config:
    return Parser("A toy.").add(Config).add(Places).parse(arguments).of(Config)


def test_without_flags_every_setting_has_its_default():
    assert read() == Config(precision="auto")


@pytest.mark.parametrize("line, field, value", [
    ("--dataset svhn", "dataset", "svhn"), ("--dataset=svhn", "dataset", "svhn"), ("-dataset svhn", "dataset", "svhn"),
    ("--iters 10", "iterations", 10), ("--iter 10", "iterations", 10), ("--RA_f 1e-3", "factor", 1e-3),
    ("--data svhn", "dataset", "svhn"), ("--RA", "alignment", True), ("--RA=True", "alignment", True),
    ("--RA True", "alignment", True), ("--RA --noRA", "alignment", False), ("--RA=no", "alignment", False),
    ("--RA N", "alignment", False), ("--RA 0", "alignment", False), ("--RA f", "alignment", False),
    ("--RA t", "alignment", True), ("--size 3", "size", 3), ("--metrics accuracy,fid", "metrics", ("accuracy", "fid")),
    ("--seed 3 --seed 4", "seed", 4), ("--RA_factor -0", "factor", 0.0)])
def test_a_flag_in_every_spelling_that_tf1_took(line, field, value):
    assert getattr(read(*line.split()), field) == value


@pytest.mark.parametrize("line, said", [
    ("--iters -1", "--iters=-1: has to be at least 0"), ("--RA_factor 11", "--RA_factor=11.0: has to be at most 10"),
    ("--RA_factor nan", "--RA_factor=nan: has to be a finite number"), ("--size 0", "--size=0: has to be at least 1"),
    ("--RA_factor inf", "--RA_factor=inf: has to be a finite number"),
    ("--dataset cifar", "--dataset=cifar: cifar is not one of mnist, svhn"),
    ("--metrics accuracy,beauty", "--metrics=accuracy,beauty: beauty is not one of accuracy, fid"),
    ("--seed 2147483648", "--seed=2147483648: has to be at most"),
    ("--iters soon", "--iters=soon: is not a whole number"),
    ("--RA perhaps", "--RA=perhaps: is neither True nor False"), ("--iters", "argument --iters: expected one argument"),
    ("mnist", "unexpected argument 'mnist'"), ("--s 3", "--s may be --seed or --size; write it in full")])
def test_what_a_flag_cannot_be_is_said_in_one_line(line, said):
    with pytest.raises(UserError, match=said.replace("(", r"\(")) as refused:
        read(*line.split())
    assert "\n" not in str(refused.value)


def test_unknown_flags_are_passed_over_with_one_line_that_names_them(capsys):
    assert read("--gpu=0", "--workers", "3", "--iters", "5", "--lerning=1").iterations == 5
    said = capsys.readouterr().err
    assert said == "warning: no such flag, passed over: --gpu=0 --workers 3 --lerning=1\n"
    read("--datset", "svhn")
    assert capsys.readouterr().err.endswith("--datset svhn (--dataset?)\n")


def test_reading_prints_nothing(capsys):
    read("--dataset", "svhn", "--RA")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_ends_well_and_groups_the_originals_flags(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        read(flag)
    said = capsys.readouterr().out
    assert ended.value.code == 0
    original, ours = said.split("flags of the original:")[1].split("flags of this program:")
    assert "--RA_factor" in original and "(default: 0.0001)" in original
    assert "--data_dir" in ours and "--size" in ours and "(default: the data set's own)" in ours
    assert "--batch" not in said


def test_what_was_given_is_told_from_what_was_not():
    asked = Parser("A toy.").add(Config).parse(["--RA_factor", "1e-4", "--noRA"])
    assert asked.given(Config) == {"factor": 1e-4, "alignment": False}


def test_options_are_read_in_their_own_form():
    asked = Parser("A toy.").add(Options, without=("strategy",)).parse(["--checkpoint_every", "100it"])
    assert asked.of(Options) == Options(checkpoint_every=Period(100, "it"))
    with pytest.raises(UserError, match="checkpoint_every"):
        Parser("A toy.").add(Options).parse(["--checkpoint_every", "soon"])


def test_paths_are_taken_where_a_script_has_them():
    asked = Parser("A toy.", paths="RUN").add(Places).parse(["a", "--data_dir", "d", "b"])
    assert asked.paths == ["a", "b"] and asked.of(Places).data_dir == "d"


def test_switches_that_are_no_settings():
    parser = Parser("A toy.").add_switch("rotate_mnist", "Rotated copies.", original=True)
    assert parser.parse(["--rotate_mnist"]).flag("rotate_mnist") and not parser.parse([]).flag("rotate_mnist")


def test_the_table_of_flags_has_a_row_per_setting():
    parser = Parser("A toy.").add(Config)
    rows = parser.rows(original=True) + parser.rows(original=False)
    assert ["`--RA_factor`", "0.0001", "Weight."] in rows
    assert ["`--dataset`", "mnist", "What to learn. One of `mnist`, `svhn`."] in rows
    assert len(rows) == len({row[0] for row in rows}) == 9


@pytest.mark.parametrize("values", [{"iterations": "3"}, {"iterations": None}, {"factor": "fast"}, {"size": [1]}])
def test_values_from_a_file_that_are_of_another_type_are_refused(values):
    with pytest.raises(UserError, match=r"--(iters|RA_factor|size)=.*: has to be"):
        Config(**values)


# Every path flag there is: (dataclass, field).
PATHS = [(kind, name) for kind in (config.Command, memorygan.config.Command, lvae.config.Command, reproduce.Command,
                                   report.Options)
         for name, hint in typing.get_type_hints(kind).items() if hint is FilePath]


@pytest.mark.parametrize("kind, name", PATHS)
def test_every_path_begins_at_home_where_it_says_so_and_has_a_name_that_can_be_told(kind, name, monkeypatch):
    def read(path: str) -> str:
        return getattr(Parser("A toy.").add(kind).parse([f"--{name}={path}"]).of(kind), name)

    monkeypatch.setenv("HOME", "/home/me")
    assert [read(path) for path in ("~/a", "b/~", "~")] == ["/home/me/a", "b/~", "/home/me"]
    for undecodable in ("d\udce4", "~/\udcff"):
        with pytest.raises(UserError, match="the name is not UTF-8"):
            read(undecodable)


def test_no_flag_of_a_path_is_taken_for_another_text():
    named = {(kind, field.name) for kind in dict(PATHS) for field in dataclasses.fields(kind)
             if field.name.endswith(("dir", "path", "output", "results", "load_model"))}
    assert len(PATHS) >= 8 and named <= set(PATHS)
def test_what_is_not_given_is_as_in_the_settings_of_a_run(tmp_path):
    asked = Parser("A toy.").add(Config).parse(["--iters=5"])
    settings = tmp_path / "settings.json"
    assert asked.completed(Config, settings).of(Config) == asked.of(Config)  # there are none
    settings.write_text('{"system": "toy", "dataset": "svhn", "iterations": 7, "alignment": true, "size": null, '
                        '"factor": 0.001, "metrics": ["fid"], "batch": 3}')
    assert asked.completed(Config, settings).of(Config) == Config(
        dataset="svhn", iterations=5, alignment=True, factor=1e-3, metrics=("fid",), precision="auto")
    settings.write_text('{"iterations": "many"}')
    with pytest.raises(UserError, match="settings.json is not what training writes: --iters=many"):
        Parser("A toy.").add(Config).parse([]).completed(Config, settings)


def test_versions_are_shown(capsys):
    with pytest.raises(SystemExit) as end:
        Parser("A toy.").parse(["--version"])
    assert end.value.code in (None, 0) and "\ntensorflow " in capsys.readouterr().out
