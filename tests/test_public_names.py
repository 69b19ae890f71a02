"""The public names: all can be imported, all are listed, and heavy modules are loaded on first use."""

import subprocess
import sys

import pytest

import memtape
from memtape.catalog.registry import MODELS, TASKS


@pytest.mark.parametrize("name", memtape.__all__)
def test_a_public_name_imports(name):
    assert getattr(memtape, name) is not None
    namespace = {}
    exec(f"from memtape import {name}", namespace)
    assert namespace[name] is getattr(memtape, name)


def test_dir_lists_the_public_names():
    assert set(dir(memtape)) == set(memtape.__all__)
    assert len(memtape.__all__) == len(set(memtape.__all__))


def test_every_model_and_every_task_has_a_public_name():
    for entry in (*MODELS.values(), *TASKS.values()):
        assert getattr(memtape, entry.class_name) is entry.load()


def test_a_star_imports_every_public_name_but_not_the_compiler_of_torch():
    code = (
        "from memtape import *; import sys, memtape; assert all(name in globals() for name in memtape.__all__)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_refer_to_the_objects_of_that_name():
    for name in memtape.__all__:
        if name not in (
            "__version__",
            "automata",
            "cells",
            "core",
            "deploy",
            "memory",
            "nn",
            "ops",
            "ports",
            "theory",
            "tree",
        ):
            assert getattr(memtape, name).__name__ == name
    assert memtape.tree.__name__ == "memtape.core.state_tree"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'memtape' has no attribute 'Turing'"):
        memtape.Turing  # noqa: B018


def test_importing_memtape_does_not_load_torch():
    code = "import sys, memtape; assert 'torch' not in sys.modules; memtape.NTM; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
