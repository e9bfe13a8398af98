"""One direction: no module imports upwards, and the scripts start without TensorFlow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The files of a system, from left to right: each may import those before it.
ORDER = ["config", "networks", "memory", "posterior", "losses", "replay", "lifelong", "baselines", "step", "train",
         "evaluate", "interpret"]
SYSTEMS = {"lib.mergan": ROOT / "lib/mergan", "memorygan": ROOT / "memorygan", "lvae": ROOT / "lvae"}
SHARED = sorted(path for path in (ROOT / "lib").rglob("*.py") if "mergan" not in path.relative_to(ROOT).parts)


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, `from a import b` as a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", SHARED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shared_code_imports_no_system(path):
    upwards = {name for name in imports(path) for system in (*SYSTEMS, "mergan", "joint")
               if name == system or name.startswith(system + ".")}
    assert not upwards


@pytest.mark.parametrize("system", SYSTEMS)
def test_files_of_a_system_import_from_their_left_only(system):
    for path in SYSTEMS[system].glob("*.py"):
        if path.stem not in ORDER:
            continue
        allowed = ORDER[:ORDER.index(path.stem)]
        siblings = {name.removeprefix(system + ".").split(".")[0] for name in imports(path)
                    if name.startswith(system + ".")}
        assert siblings & set(ORDER) <= set(allowed), path


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_system_imports_another(system):
    others = [other for other in SYSTEMS if other != system]
    for path in SYSTEMS[system].rglob("*.py"):
        assert not {name for name in imports(path) for other in others if name.startswith(other + ".")}, path


def test_only_interchange_uses_compat_v1():
    users = [path.relative_to(ROOT) for path in SHARED if "compat.v1" in path.read_text()]
    assert users in ([], [Path("lib/tf1/files.py")])


@pytest.mark.parametrize("script", ["mergan.py", "joint.py"])
def test_scripts_parse_their_flags_without_tensorflow(script):
    code = f"import sys, runpy; runpy.run_path({script!r}); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_onednn_computes_unless_switched_off():
    code = "import lib, tensorflow"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    for choice, expected in ((None, True), ("0", False)):
        environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
        chosen = {"TF_ENABLE_ONEDNN_OPTS": choice} if choice else {}
        messages = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment | chosen, text=True,
                                  stderr=subprocess.PIPE).stderr
        assert ("oneDNN custom operations are on" in messages) == expected


def test_scripts_stay_thin():
    for script in ("mergan.py", "joint.py"):
        assert len((ROOT / script).read_text().splitlines()) < 80
