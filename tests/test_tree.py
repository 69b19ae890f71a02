"""The tree of files: files are found by their names, and the sizes of files and folders are limited."""

from collections import defaultdict
from pathlib import Path

import pytest

import memtape

PACKAGE = Path(memtape.__file__).parent
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file.name not in ("__init__.py", "__main__.py"))
FOLDERS = sorted({file.parent for file in FILES})

WITHOUT_MEANING = {"util", "common", "helper", "misc", "base", "tool", "stuff", "other", "various", "general"}
MOST_LINES = 400
MOST_FILES = 15
FEW_FILES = 12

LARGE_FOLDERS = {
    "cells": "one file for each cell and for each wrapper around a cell",
    "cli": "one file for each command",
    "core": "the layer below all others: one file for each concept",
    "tasks/graph": "one file for each family of graphs and for each step from a graph to a task",
    "experiments": "one file for each operation on an experiment, and for each part of the ledger",
    "memory": "one file for each memory and for each of its parts",
    "ops": "one file for each group of equations",
    "training": "one file for each step of a training run",
    "viz": "one file for each figure",
}
"""Folders that may have more files, with the reason."""


def singular(word):
    return word.removesuffix("s") if not word.endswith("ss") else word


def name_key(file):
    """Return a key that is equal for file names that differ by a plural or by the order of their words only."""
    return tuple(sorted(singular(word) for word in file.stem.split("_")))


def named(file):
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("paths", [FILES, FOLDERS], ids=["files", "folders"])
def test_no_two_names_differ_by_a_plural_or_by_the_order_of_words_only(paths):
    names_by_key = defaultdict(set)
    for path in paths:
        names_by_key[name_key(path)].add(path.stem)
    assert [names for names in names_by_key.values() if len(names) > 1] == []


@pytest.mark.parametrize("path", [*FILES, *FOLDERS], ids=named)
def test_a_name_has_a_meaning(path):
    assert not {singular(word) for word in path.stem.split("_")} & WITHOUT_MEANING


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_file_is_short_enough_to_read(file):
    lines = len(file.read_text().splitlines())
    assert lines <= MOST_LINES, f"{named(file)} has {lines} lines; move one of its concepts to a new file"


def test_a_folder_has_few_files_or_a_reason():
    counts = {named(folder): sum(file.parent == folder for file in FILES) for folder in FOLDERS}
    large = {name for name, count in counts.items() if count > MOST_FILES}
    assert large <= LARGE_FOLDERS.keys(), "split the folder that grew"
    assert all(counts[name] > FEW_FILES for name in LARGE_FOLDERS), "remove a reason that is no longer needed"


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_has_a_docstring(folder):
    assert (folder / "__init__.py").read_text().startswith('"""')
