"""The five tasks of the Neural Turing Machine, small and at their usual sizes."""

import pytest

from memtape import AssociativeRecall, Copy, DynamicNGrams, PrioritySort, RepeatCopy

TASKS = [Copy, RepeatCopy, AssociativeRecall, DynamicNGrams, PrioritySort]


@pytest.fixture(params=TASKS, ids=[task.__name__ for task in TASKS])
def task_class(request):
    """One of the tasks."""
    return request.param


@pytest.fixture
def task(task_class):
    """One of the tasks as the paper has it."""
    return task_class()
