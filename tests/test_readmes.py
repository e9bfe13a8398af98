"""The READMEs: links lead somewhere, command lines parse, tables of flags are the settings', the first page is short.

Not parsed are the lines of `make`, `pip` and `pytest`, which take no flags of ours, and those of `lib.tf1` and
`tests.golden`, whose parsers are made where they are used; tests of their own run both.
"""

import re
import shlex
import subprocess
import sys

import pytest

from benchmarks import __main__ as benchmarks
from lib import systems
from lib.compare import __main__ as compare
from lib.errors import UserError
from lib.mergan.config import make_config as make_mergan
from lib.report.options import Options as ReportOptions
from lib.reproduce import __main__ as reproduce
from lib.reproduce import flag_tables
from lib.run.flags import Parser
from lib.sample import __main__ as sample
from lvae.config import make_config as make_lvae
from memorygan.config import make_config as make_memorygan
from tests.process import ROOT

READMES = [path for pattern in ("README.md", "[a-z]*/README.md", "lib/*/README.md") for path in ROOT.glob(pattern)]
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in READMES}
PARSERS = {script: parser for system in systems.SYSTEMS
           for script, parser in systems.part(system, "command_line").parsers().items()}
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def commands_of(text: str) -> list[list[str]]:
    """Words of all `python ...` lines, in blocks and within the text."""
    lines = [line for block in _FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(text))]
    commands = [line.rpartition("&& ")[2] for line in lines]
    return [shlex.split(command, comments=True)[1:] for command in commands if command.startswith("python ")]


COMMANDS = [(name, command) for name, text in TEXTS.items() for command in commands_of(text)]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives a file's titles; a title that comes again has its number behind it."""
    seen = {}
    names = set()
    for title in re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return names


@pytest.mark.parametrize("name", TEXTS)
def test_links_and_pictures_lead_somewhere(name):
    for target in _LINK.findall(prose(TEXTS[name])):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(file.read_text()), f"{name}: {target}"


def script_of(readme: str, program: str) -> str:
    """A system's script by its path from the root; a command may stand in its directory."""
    for script in PARSERS:
        if program in (script, script.rpartition("/")[2]):
            return script
    raise AssertionError(f"{readme}: no script {program}")


def check_settings(script: str, asked) -> None:
    """Make the settings of a system's command line, which refuses values that are none."""
    system = next(name for name in systems.SYSTEMS if script in systems.part(name, "command_line").parsers())
    config = systems.part(system, "config")
    if system == "lvae":
        make_lvae(systems.part("lvae", "command_line").experiment_of(script), **asked.values(config.Config))
    elif system == "memorygan":
        make_memorygan(**asked.values(config.Config))
    else:
        make_mergan(joint=script == "joint.py", **asked.values(config.Config))
    asked.of(config.Command)


def parse(readme: str, words: list[str]) -> None:
    """Have a command line read by its program's parser."""
    program, *arguments = words
    if program == "-m" and arguments[0] == "lib.workers":
        program, *arguments = arguments[2:]
    if program == "compare_runs.py":
        from lvae import compare_runs

        assert Parser("").add(compare_runs.Command).parse(arguments).of(compare_runs.Command).runs
    elif program != "-m":
        script = script_of(readme, program)
        check_settings(script, PARSERS[script].parse(arguments))
    else:
        parse_module(*arguments)


def parse_module(module: str, *arguments: str) -> None:
    """The same of `python -m module ...`."""
    if module == "lib.reproduce":
        asked = Parser("", paths="TABLE").add(reproduce.Command).parse(arguments)
        command = asked.of(reproduce.Command)
        assert asked.paths and set(asked.paths) <= set(reproduce.tables())
        assert set(command.rows) <= set(reproduce.tables()[asked.paths[0]].rows)
    elif module == "lib.compare":
        assert compare.contestants(Parser("").add(compare.Command).parse(arguments).of(compare.Command))
    elif module == "lib.report":
        assert Parser("", paths="RUN").add(ReportOptions).parse(arguments).paths
    elif module == "lib.sample":
        asked = Parser("", paths="RUN").add(sample.Command).parse(arguments)
        assert len(asked.paths) == 1 and asked.of(sample.Command).out
    elif module == "benchmarks":
        benchmarks.read(arguments)
    else:
        assert module in ("lib.tf1", "lib.reproduce.flag_tables", "tests.golden", "pytest", "venv"), module


@pytest.mark.parametrize("readme, words", COMMANDS, ids=lambda value: value if isinstance(value, str) else value[0])
def test_a_command_line_parses_without_a_warning(readme, words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # scripts change its first entry
    parse(readme, words)
    assert capsys.readouterr().err == ""


def test_the_commands_for_a_gpu_parse(capsys):
    commands = commands_of(f"```sh\n{benchmarks.GPU_PLAN}\n```")
    assert len(commands) == 3
    for words in commands:
        parse("benchmarks/README.md", words)
    assert capsys.readouterr().err == ""


def test_the_test_itself_sees_wrong_flags_and_values(capsys):
    text = ("Give `python mergan.py --RA\n--iters 9` or\n"
            "```sh\ncd lvae && python run_mnist_experiment.py --use_bn\n```\n")
    block, inline = commands_of(text)
    assert block == ["run_mnist_experiment.py", "--use_bn"] and inline == ["mergan.py", "--RA", "--iters", "9"]
    parse("README.md", ["mergan.py", "--R_factor", "1"])
    assert "--R_factor" in capsys.readouterr().err
    with pytest.raises(UserError):
        parse("README.md", ["mergan.py", "--dataset", "mnits"])


def test_commands_of_every_script_of_the_originals_are_there():
    shown = {words[0] for _, words in COMMANDS}
    assert {"mergan.py", "joint.py", "run.py", "run_mnist_experiment.py", "run_fashion_dnn_experiment.py"} <= shown
    assert len(COMMANDS) > 30


def generated(path, name: str) -> str:
    """What stands between the markers of this name."""
    return re.search(rf"<!-- {name} -->\n(.*)\n<!-- /{name} -->", path.read_text(), re.DOTALL)[1]


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_the_table_of_flags_is_that_of_the_settings(system):
    assert generated(flag_tables.readme(system), f"flags:{system}") == flag_tables.flag_table(system)


def test_every_result_has_its_place():
    for name in reproduce.tables():
        assert generated(ROOT / "results/README.md", f"results:{name}")


def test_the_tables_of_flags_need_no_tensorflow():
    code = ("import sys; from lib.reproduce.flag_tables import flag_table, systems; "
            "[flag_table(system) for system in systems.SYSTEMS]; sys.exit('tensorflow' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_first_page_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 130
