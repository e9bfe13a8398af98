"""`record.py` and what it imports keep to what Python 2.7 knows."""

import ast

import pytest

from tests.process import ROOT

_LATER = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.MatMult, ast.AsyncFunctionDef)


@pytest.mark.parametrize("name", ["record.py", "keys.py", "__init__.py", "../__init__.py"])
def test_python_2_can_read_it(name):
    text = (ROOT / "tests/golden" / name).read_text()
    assert text.isascii()
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, _LATER), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, node.args.vararg, node.args.kwarg]
            assert not (node.args.kwonlyargs or node.returns or any(one and one.annotation for one in arguments))
