"""A model or a task is added by its file alone; no hand-written list names all of them.

A new model needs four places: its file, its recipe, a test against its equations, and its page in the documents.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from memtape.catalog.registry import MODELS, TASKS

ROOT = Path(__file__).parents[2]
MOST = 10
"""The most models or tasks that one list may name (a comparison, or the set of a paper); a longer list counts as a list
of all.
"""

MODEL = '''
"""Decay: a sum of inputs that fades."""

from typing import Any

import torch
from torch import Tensor, nn

from memtape.cells import ElmanCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def decay_network(input_size: int, output_size: int, *, hidden_size: int = 16) -> AnyCell:
    """Build it.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector.
        hidden_size: number of units.
    """
    return layered(
        lambda size: ElmanCell(size, hidden_size), input_size, output_size, layers=1, embedding_size=None, dropout=0.0
    )


class Decay(Recurrent[Any], Shareable):
    """Decay run over sequences."""

    __init__ = runs(decay_network)


CARD = ModelCard(name="decay", summary="A sum that fades.", paper=("graves2014",), small={"hidden_size": 3})
'''

TASK = '''
"""Echo: copy under another name."""

from memtape.core.card import TaskCard
from memtape.tasks.algorithmic.copying import Copy


class Echo(Copy):
    """Copy again.

    Args:
        bits: number of bits.
    """

    def __init__(self, *, bits: int = 2):
        super().__init__(bits=bits, max_length=3)


CARD = TaskCard(name="echo", summary="Copy again.", paper=("graves2014",), test_lengths=(3,), unit="vectors")
'''

LOOK = """
import importlib.util, json, sys
import memtape
from memtape.catalog.registry import MODELS, TASKS, recipe_for
from memtape.cli.main import build

def load(path):
    spec = importlib.util.spec_from_file_location("loaded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

root, tests = sys.argv[1:]
completion = build(["--install-completion"]).generate_completion(shell="bash")
generated = load(f"{root}/docs/generated.py")
laws = load(f"{tests}/laws/conftest.py")
pairs = load(f"{tests}/experiments/test_pairs.py")
every_task = load(f"{tests}/tasks/test_every_task.py")
print(json.dumps({
    "registry": "decay" in MODELS and "echo" in TASKS,
    "recipe": recipe_for("decay", "echo").train["steps"] == 1,
    "public names": {"Decay", "Echo"} <= set(memtape.__all__) and memtape.Decay(2, 2) is not None,
    "completion": "decay" in completion and "echo" in completion,
    "stub": "import Decay as Decay" in generated.stub() and "import Echo as Echo" in generated.stub(),
    "documents": "`Decay`" in generated.models_table() and "`Echo`" in generated.tasks_table(),
    "readme": "`Decay`" in generated.readme_table() and "`Echo`" in generated.readme_table(),
    "laws": any(name.startswith("decay") for name, _ in laws.CELLS),
    "a step on a task": any(model == "decay" for model, _ in pairs.ONE_EACH),
    "every pair": ("decay", "echo") in pairs.FITTING,
    "every task": "echo" in every_task.TASKS,
}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the repository's package with one more model and one more task, each one file, and a recipe."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "src/memtape", root / "src/memtape", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("images"))
    shutil.copy(ROOT / "README.md", root)
    (root / "src/memtape/models/recurrent/decay.py").write_text(MODEL.lstrip())
    (root / "src/memtape/tasks/algorithmic/echo.py").write_text(TASK.lstrip())
    (root / "src/memtape/recipes/decay").mkdir()
    (root / "src/memtape/recipes/decay/echo.toml").write_text("[train]\nsteps = 1\nvalidate_every = 1\n")
    return root


def call(tree, *words):
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    finished = subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_new_file_is_found_everywhere(tree):
    found = json.loads(call(tree, "-c", LOOK, str(tree), str(ROOT / "tests")).splitlines()[-1])
    assert found == dict.fromkeys(found, True)


def test_a_new_file_is_listed_and_trained_by_the_command_line(tree):
    assert "decay" in call(tree, "-m", "memtape", "models")
    assert "echo" in call(tree, "-m", "memtape", "tasks")
    assert "Neural {Turing}" in call(tree, "-m", "memtape", "cite", "decay", "echo")
    call(
        tree, "-m", "memtape", "train", "decay", "echo", "--train.validation-sequences", "2", "--out", str(tree / "run")
    )
    assert (tree / "run/report.html").is_file()


def names_in(part):
    """Return the names in a list, tuple, set, dictionary or import: strings, names and attributes, also of nested
    tuples.
    """
    if isinstance(part, ast.ImportFrom):
        return {alias.name for alias in part.names}
    found = set()
    for element in part.keys if isinstance(part, ast.Dict) else part.elts:
        if isinstance(element, ast.Constant):
            found.add(element.value)
        elif isinstance(element, ast.Name):
            found.add(element.id)
        elif isinstance(element, ast.Attribute):
            found.add(element.attr)
        elif isinstance(element, ast.Call):
            found |= names_in(ast.Tuple([element.func]))
        elif isinstance(element, ast.Tuple | ast.List):
            found |= names_in(element)
    return found


@cache
def named_in_lists(source):
    """Return the line of each list, tuple, set, dictionary and import with more than MOST names, and these names."""
    kinds = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.ImportFrom
    parts = (node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds))
    return [(part.lineno, names) for part in parts if len(names := names_in(part)) > MOST]


def lists_by_hand(source, known):
    """Return the lines of lists, tuples, sets, dictionaries and imports with more than MOST known names."""
    return [line for line, names in named_in_lists(source) if len({known[name] for name in names & set(known)}) > MOST]


@pytest.mark.parametrize("register", [MODELS, TASKS], ids=["models", "tasks"])
def test_no_handwritten_list_names_all_models_or_all_tasks(register):
    known = {word: entry.name for entry in register.values() for word in (entry.name, entry.class_name)}
    classes = [entry.class_name for entry in register.values()]
    for planted in (sorted(register), dict.fromkeys(register), [(name, "copy") for name in register]):
        assert lists_by_hand(f"ALL = {planted!r}", known) == [1]
    for planted in (f"ALL = ({', '.join(classes)})", f"from memtape import {', '.join(classes)}"):
        assert lists_by_hand(planted, known) == [1]
    found = []
    for folder in ("src", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            found += [f"{file.relative_to(ROOT)}:{line}" for line in lists_by_hand(file.read_text(), known)]
    assert found == []


def test_only_a_model_s_family_imports_it():
    """Only the files of a family, its ports and the compilers of automata import its modules."""
    families = {entry.module.rpartition(".")[0] for entry in MODELS.values()}
    found = []
    for file in (ROOT / "src/memtape").rglob("*.py"):
        place = ".".join(("memtape", *file.relative_to(ROOT / "src/memtape").with_suffix("").parts))
        if place.split(".")[1] in ("models", "ports", "automata"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).rpartition(".")[0] in families:
                found.append(f"{place} imports {node.module}")
    assert found == []
