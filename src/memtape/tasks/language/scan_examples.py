"""SCAN examples: read from the published files, or made by the grammar and split alike."""

import re
from functools import cache
from typing import Literal

import torch

from memtape.core.task import generator_for
from memtape.tasks.data_folder import DataSet
from memtape.tasks.language import scan_grammar

SCAN = DataSet(
    name="SCAN",
    folder="scan",
    source="the repository brendenlake/SCAN on GitHub",
    counts={
        "tasks_train_simple.txt": 16_728,
        "tasks_test_simple.txt": 4_182,
        "tasks_train_length.txt": 16_990,
        "tasks_test_length.txt": 3_920,
        "tasks_train_addprim_jump.txt": 14_670,
        "tasks_test_addprim_jump.txt": 7_706,
    },
)

FILES = {
    "simple": "simple_split/tasks_{part}_simple.txt",
    "length": "length_split/tasks_{part}_length.txt",
    "jump": "add_prim_split/tasks_{part}_addprim_jump.txt",
}

LONGEST_IN_TRAINING = 22
"""Actions, in the split by length."""

JUMPS = 1_467
"""How often the command "jump" alone stands among those for training, in the split by "jump": one in ten."""

Examples = list[tuple[list[str], list[str]]]
"""Commands as words, and their actions."""


@cache
def of_grammar(split: str) -> tuple[Examples, Examples]:
    """Return examples for training and for testing, made by the grammar and split as the published ones are."""
    every = [(command.split(), scan_grammar.actions(command)) for command in scan_grammar.commands()]
    if split == "simple":
        order = torch.randperm(len(every), generator=generator_for("scan")).tolist()
        cut = SCAN.counts["tasks_train_simple.txt"]
        return [every[i] for i in order[:cut]], [every[i] for i in order[cut:]]
    if split == "length":
        held = [len(done) > LONGEST_IN_TRAINING for _, done in every]
    else:
        held = ["jump" in words for words, _ in every]
    train = [example for example, out in zip(every, held, strict=True) if not out]
    test = [example for example, out in zip(every, held, strict=True) if out]
    if split == "jump":
        jump = (["jump"], ["I_JUMP"])
        train, test = train + [jump] * JUMPS, [example for example in test if example != jump]
    return train, test


def read(data_dir: str, split: str, part: Literal["train", "test"]) -> Examples:
    """Return the examples of one file, a line each such as `IN: walk left OUT: I_TURN_LEFT I_WALK`.

    Raises:
        DataError: the file is missing, or is not what it should be.
    """
    file = FILES[split].format(part=part)
    path, examples = SCAN.path(data_dir, file), []
    words, actions = set(scan_grammar.WORDS), set(scan_grammar.ACTIONS)
    for number, line in enumerate(SCAN.text(data_dir, file).splitlines(), 1):
        found = re.fullmatch(r"IN: (.+) OUT: (.+)", line.rstrip())
        if found is None:
            raise SCAN.damaged(path, f"has no 'IN: command OUT: actions' on line {number}")
        command, done = (part.split() for part in found.groups())
        for word in [*(word for word in command if word not in words), *(a for a in done if a not in actions)]:
            raise SCAN.damaged(path, f"has {word!r} on line {number}, which SCAN does not have")
        examples.append((command, done))
    SCAN.check_count(path, len(examples), "commands")
    return examples
