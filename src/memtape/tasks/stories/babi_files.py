"""bAbI files: the 20 tasks of the public data set, and its files in a data folder."""

from collections import Counter
from typing import Literal

from memtape.tasks.data_folder import DataSet
from memtape.tasks.stories.babi_format import stories_in
from memtape.tasks.stories.story import Story

TASKS = {
    1: "single-supporting-fact",
    2: "two-supporting-facts",
    3: "three-supporting-facts",
    4: "two-arg-relations",
    5: "three-arg-relations",
    6: "yes-no-questions",
    7: "counting",
    8: "lists-sets",
    9: "simple-negation",
    10: "indefinite-knowledge",
    11: "basic-coreference",
    12: "conjunction",
    13: "compound-coreference",
    14: "time-reasoning",
    15: "basic-deduction",
    16: "basic-induction",
    17: "positional-reasoning",
    18: "size-reasoning",
    19: "path-finding",
    20: "agents-motivations",
}
"""The name of each task, by its number."""

SIZES = {1_000: "en", 10_000: "en-10k"}
"""The folder of each number of training questions."""

TESTED = 1_000
"""Number of test questions of each task."""

BABI = DataSet(
    name="bAbI",
    folder="babi",
    source="the bAbI tasks, version 1.2, or tasks/ in the repository siddk/entity-network on GitHub",
    counts={},
)

Split = Literal["train", "validation", "test"]


def file_name(task: int, split: Split) -> str:
    """Return the name of a file of a task."""
    return f"qa{task}_valid.txt" if split == "validation" else f"qa{task}_{TASKS[task]}_{split}.txt"


def babi_stories(data_dir: str, task: int, split: Split, size: int = 1_000) -> tuple[Story, ...]:
    """Read the stories of a task.

    The training stories include the official validation stories, about a tenth of them; `without` removes these. The
    test stories of both sizes are the same.

    Args:
        data_dir: the data folder, which contains the folder `babi`.
        task: number of the task, 1 to 20.
        split: which of its files.
        size: number of training questions, a key of `SIZES`.

    Raises:
        DataError: the file is missing, malformed, or has the wrong number of questions.
    """
    file, wanted = _file(task, split, size), {"train": size, "test": TESTED}.get(split)
    path = BABI.path(data_dir, file)
    stories = stories_in(BABI.text(data_dir, file), str(path))
    found = sum(len(story.questions) for story in stories)
    if wanted is not None and found != wanted:
        raise BABI.damaged(path, f"has {found} questions, but that of {BABI.name} has {wanted}")
    return stories


def has_file(data_dir: str, task: int, split: Split, size: int = 1_000) -> bool:
    """Return whether a file of a task is there; arguments as in `babi_stories`."""
    return BABI.path(data_dir, _file(task, split, size)).is_file()


def without(stories: tuple[Story, ...], removed: tuple[Story, ...]) -> tuple[Story, ...]:
    """Return stories without others, each removed as often as it occurs among the others."""
    left = Counter(removed)
    kept = []
    for story in stories:
        if left[story]:
            left[story] -= 1
        else:
            kept.append(story)
    return tuple(kept)


def _file(task: int, split: Split, size: int) -> str:
    """Return the place of a file of a task in the folder of the data set."""
    folder = SIZES[size]
    return f"{folder.replace('en', 'en-valid') if split == 'validation' else folder}/{file_name(task, split)}"
