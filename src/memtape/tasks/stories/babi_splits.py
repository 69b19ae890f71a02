"""bAbI splits: the stories for training, validation and testing of some tasks, from files or from simulations."""

import re
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random

from memtape.core.data_record import DataRecord
from memtape.tasks.data_folder import examples_of
from memtape.tasks.stories.babi_files import BABI, SIZES, TASKS, TESTED, Split, babi_stories, without
from memtape.tasks.stories.generator import generated
from memtape.tasks.stories.numbered_task import OWN
from memtape.tasks.stories.own_stories import own_stories
from memtape.tasks.stories.story import Story

Splits = dict[Split, dict[int, tuple[Story, ...]]]
"""The stories of each split, by the number of their task."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test")

NAME = "stories of the user"

VALIDATION = 10
"""One of this many generated training questions is added for validation."""


def numbers_of(text: str) -> tuple[int, ...]:
    """Return the numbers of tasks that a text such as "1-5,16" or "all" names, in order.

    Raises:
        ValueError: the text is malformed or names an unknown task.
    """
    if text == "all":
        return tuple(TASKS)
    parts = [re.fullmatch(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", part.strip()) for part in text.split(",")]
    if not all(parts):
        raise ValueError(
            f'numbers is {text!r}, but it must name tasks, such as "1", "1-5", "2,3,16" or "all"; name some'
        )
    found = {number for part in parts if part for number in range(int(part[1]), int(part[2] or part[1]) + 1)}
    if not found or not found <= set(TASKS):
        raise ValueError(f"numbers is {text!r}, but the tasks are 1 to {max(TASKS)}; name some of them")
    return tuple(sorted(found))


def stories_by_split(
    data_dir: str | None, numbers: tuple[int, ...], size: int, own_file: str | None = None
) -> tuple[Splits, DataRecord]:
    """Return the stories of some tasks and of a user by split and task, and the record of their data.

    Args:
        data_dir: data folder with the files; None for generated stories.
        numbers: the numbers of the tasks.
        size: number of training questions of each task.
        own_file: file with the stories of a user; None for none.

    Raises:
        ValueError: the size is unknown.
        DataError: a file is missing or invalid.
    """
    if size not in SIZES:
        raise ValueError(
            f"size is {size}, but the tasks have {' or '.join(map(str, SIZES))} training questions; choose one"
        )
    told, record = examples_of(
        data_dir if numbers else None,
        BABI,
        read=lambda folder: _read(folder, numbers, size),
        otherwise=lambda: _generated(numbers, size),
        name="stories of a simulation of each bAbI task",
    )
    if own_file is None:
        return told, record
    own, file = own_stories(own_file)
    both: Splits = {split: {OWN: own[split], **told[split]} for split in SPLITS}
    if not numbers:
        return both, DataRecord(kind="files", name=NAME, files=(file,))
    return both, replace(record, name=f"{record.name}, and {NAME}", files=(*record.files, file))


def _read(data_dir: str, numbers: tuple[int, ...], size: int) -> Splits:
    train, validation, test = (
        {number: babi_stories(data_dir, number, split, size) for number in numbers} for split in SPLITS
    )
    left = {number: without(train[number], validation[number]) for number in numbers}
    return {"train": left, "validation": validation, "test": test}


def _generated(numbers: tuple[int, ...], size: int) -> Splits:
    counts: dict[Split, int] = {"train": size, "validation": size // VALIDATION, "test": TESTED}
    return {split: {number: _told(split, number, count) for number in numbers} for split, count in counts.items()}


@cache
def _told(split: str, number: int, questions: int) -> tuple[Story, ...]:
    """Return generated stories with at least this many questions."""
    told: list[Story] = []
    count, source = 0, generated(number, Random(f"{split} {number}"))
    while count < questions:
        told += islice(source, 1)
        count += len(told[-1].questions)
    return tuple(told)
