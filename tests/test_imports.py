"""One direction: every file of the house has its place, and imports from its left only."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The rooms of the systems, from left to right: a file may import those before it, and shared code.
ROOMS = {
    "lib.mergan": ["config", "data", "networks", "losses", "replay", "baselines", "methods", "noise", "step",
                   "checkpoint", "samples", "pictures", "record", "train", "evaluate", "interchange", "sampler",
                   "report", "tables", "command_line"],
    "memorygan": ["config", "data", "networks", "memory", "losses", "noise", "step", "checkpoint", "samples", "places",
                  "record", "train", "evaluate", "interpret", "interchange", "sampler", "report", "tables",
                  "command_line", "run"],
    "lvae": ["config", "data", "distributions", "places", "networks", "posterior", "losses", "lifelong", "baselines",
             "noise", "step", "checkpoint", "fork", "learner", "samples", "frechet", "pictures", "evaluate",
             "summaries", "record", "train", "comparison", "interchange", "examine", "sampler", "report", "tables",
             "command_line"],
}
# Shared code, from below to above: a part may import those before it and itself.
SHARED = ["run.output", "errors", "randomness", "files", "systems", "run.settings", "run.provenance", "run.flags",
          "run.options", "run.place", "device", "run.repeat", "run.replicas", "optimizers", "losses", "tf1", "pictures",
          "run", "ops", "data", "classifiers", "metrics", "report", "reproduce", "sample", "compare", "workers"]
SCRIPTS = [*sorted((ROOT / "lvae").glob("run_*.py")), ROOT / "lvae/compare_runs.py", ROOT / "mergan.py",
           ROOT / "joint.py", ROOT / "setup.py"]


def files_of(package: str) -> list[Path]:
    return sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


def name_of(path: Path) -> str:
    """Dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports: `from a import b` as a.b, and the text given to `import_module`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names |= {text.value for text in ast.walk(node) if isinstance(text, ast.Constant)
                      and isinstance(text.value, str)}
    return names


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def room_of(name: str, package: str) -> str:
    return name.removeprefix(package).removeprefix(".").partition(".")[0]


def shared_part(name: str) -> str | None:
    """The longest entry of SHARED that a dotted name below `lib` belongs to."""
    inner = name.removeprefix("lib.")
    return max((part for part in SHARED if is_within(inner, part)), key=len, default=None)


SHARED_FILES = [path for path in files_of("lib") if not is_within(name_of(path), "lib.mergan")]
SYSTEM_FILES = [(package, path) for package in ROOMS for path in files_of(package)
                if path.name != "__init__.py" and path not in SCRIPTS]


def identify(value) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("package, path", SYSTEM_FILES, ids=identify)
def test_a_file_of_a_system_has_a_room_and_imports_from_its_left(package, path):
    rooms, room = ROOMS[package], room_of(name_of(path), package)
    assert room in rooms, f"{path} has no place in ROOMS"
    allowed = rooms[:rooms.index(room) + (path.parent.name == room)]
    siblings = {room_of(name, package) for name in imports(path) if is_within(name, package)}
    assert siblings <= set(allowed), path


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_is_there(package):
    assert {room_of(name_of(path), package) for path in files_of(package) if path not in SCRIPTS} - {""} == set(
        ROOMS[package])


@pytest.mark.parametrize("path", SHARED_FILES, ids=identify)
def test_shared_code_has_a_place_and_imports_from_below_only(path):
    if name_of(path) == "lib":
        return
    part = shared_part(name_of(path))
    assert part, f"{path} has no place in SHARED"
    below = SHARED[:SHARED.index(part) + 1]
    used = {name: shared_part(name) for name in imports(path) if is_within(name, "lib") and shared_part(name)}
    assert {name: other for name, other in used.items() if other not in below} == {}


@pytest.mark.parametrize("path", SHARED_FILES, ids=identify)
def test_shared_code_imports_no_system(path):
    if name_of(path) == "lib.systems":  # the one list of them
        return
    assert not {name for name in imports(path) for system in (*ROOMS, "mergan", "joint") if is_within(name, system)}


@pytest.mark.parametrize("package", ROOMS)
def test_no_system_imports_another(package):
    others = [other for other in ROOMS if other != package]
    for path in files_of(package):
        assert not {name for name in imports(path) for other in others if is_within(name, other)}, path


def test_evaluation_imports_nothing_of_training():
    for package in ROOMS:
        assert f"{package}.train" not in imports(ROOT / package.replace(".", "/") / "evaluate.py")


def test_the_test_itself_sees_imports_of_every_kind(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("import a.b\nfrom c import d\nimport importlib\ndef f():\n    from e.f import g\n"
                    "    importlib.import_module('h.i')\n")
    assert imports(path) == {"a.b", "c.d", "importlib", "e.f.g", "h.i"}


def test_only_files_of_checkpoints_use_compat_v1():
    users = {path.relative_to(ROOT) for package in ("lib", *ROOMS) for path in files_of(package)
             if "compat.v1" in path.read_text()}
    assert users <= {Path("lib/tf1/files.py")}


def test_the_top_of_lib_has_at_most_ten_files():
    assert len(list((ROOT / "lib").glob("*.py"))) <= 10


def test_no_function_is_longer_than_a_screen():
    long = {f"{name_of(path)}.{node.name}": node.end_lineno - node.lineno + 1
            for package in ("lib", "benchmarks", *ROOMS) for path in files_of(package) if path.stem != "tables"
            for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
    assert {name: lines for name, lines in long.items() if lines > 60} == {}


@pytest.mark.parametrize("script", ["mergan.py", "joint.py", "memorygan/run.py", "lvae/run_mnist_experiment.py"])
def test_scripts_start_without_tensorflow_and_stay_thin(script):
    assert len((ROOT / script).read_text().splitlines()) < 40
    code = f"import sys, runpy; runpy.run_path({script!r}); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.full
def test_onednn_computes_unless_switched_off():
    code = "import lib, tensorflow"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    for choice, expected in ((None, True), ("0", False)):
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
        chosen = {"TF_ENABLE_ONEDNN_OPTS": choice} if choice else {}
        messages = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment | chosen, text=True,
                                  stderr=subprocess.PIPE).stderr
        assert ("oneDNN custom operations are on" in messages) == expected
