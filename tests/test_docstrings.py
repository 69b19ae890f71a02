"""Every public class, function and method has a docstring, which lists either all arguments or none."""

import ast
import re
from pathlib import Path

import pytest

import memtape

PACKAGE = Path(memtape.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
ARGUMENTS = re.compile(r"^Args:\n(?P<lines>(?:[ ]+.*\n|\n)*)", re.MULTILINE)


def definitions(body, prefix=""):
    """Yield the classes, functions and methods of a module with their names; those inside of functions are details.

    The forms of an overloaded function are described by its own docstring.
    """
    for node in body:
        if isinstance(node, DEFINITIONS) and "overload" not in map(ast.unparse, node.decorator_list):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef) and not any("autograd.Function" in ast.unparse(base) for base in node.bases):
            yield from definitions(node.body, f"{prefix}{node.name}.")


def undocumented(source):
    """Return the public names of a module, and public names of private classes, that have no docstring."""
    return [
        name
        for name, node in definitions(ast.parse(source).body)
        if not name.rpartition(".")[2].startswith("_") and not ast.get_docstring(node)
    ]


def differing(source):
    """Return the names whose docstring lists other arguments than the signature has, with the difference."""
    found = {}
    for name, node in definitions(ast.parse(source).body):
        section = ARGUMENTS.search(f"{ast.get_docstring(node) or ''}\n")
        constructor = node
        if isinstance(node, ast.ClassDef):
            constructor = next((one for one in node.body if getattr(one, "name", "") == "__init__"), None)
        if section is not None and constructor is not None:
            listed = set(re.findall(r"^    \*{0,2}(\w+):", section["lines"], re.MULTILINE))
            given = {argument.arg for argument in ast.walk(constructor.args) if isinstance(argument, ast.arg)}
            if "." in name or isinstance(node, ast.ClassDef):
                given -= {"self", "cls"}
            if listed != given:
                found[name] = sorted(listed ^ given)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_public_names_have_docstrings_with_all_arguments(file):
    source = file.read_text(encoding="utf-8")
    assert undocumented(source) == []
    assert differing(source) == {}


def test_a_missing_docstring_and_a_missing_argument_are_found():
    assert undocumented("def f(): pass\nclass _C:\n    def g(self): pass\n    def _h(self): pass") == ["f", "_C.g"]
    source = 'class C:\n    """Do.\n\n    Args:\n        x: one.\n    """\n    def __init__(self, x, *, y): pass'
    assert differing(source) == {"C": ["y"]}
    assert differing(source.replace(", *, y", "")) == {}
