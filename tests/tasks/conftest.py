"""The five tasks of the Neural Turing Machine, small and with their default sizes; text files of another system."""

import codecs

import pytest

from memtape import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy

TASKS = [Copy, RepeatCopy, AssociativeRecall, DynamicNGrams, PrioritySort]


@pytest.fixture(params=TASKS, ids=[task.__name__ for task in TASKS])
def task_class(request):
    """One of the tasks."""
    return request.param


@pytest.fixture
def task(task_class):
    """One of the tasks with the sizes of the paper."""
    return task_class()


@pytest.fixture
def written_elsewhere():
    """Return a function that writes all files of a folder again, as an editor of another system does."""

    def rewrite(folder):
        for file in folder.rglob("*.*"):
            content = file.read_bytes()
            file.write_bytes(codecs.BOM_UTF8 + content.replace(b"\n", b"\r\n") + b"\r\n \r\n")

    return rewrite
