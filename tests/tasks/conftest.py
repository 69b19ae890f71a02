"""The five tasks of the Neural Turing Machine, small and with their default sizes."""

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
