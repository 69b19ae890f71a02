"""Card: metadata of a model or a task, which is read without importing it."""

import re
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Card(ABC):
    """Abstract card, the last statement of a file: `CARD = ModelCard(...)` or `CARD = TaskCard(...)`, with literals only.

    It describes the last class of that file. It is read from the source, so that the file is not imported.

    Attributes:
        name: name on the command line: lower-case letters, digits and hyphens.
        summary: one sentence.
        paper: keys of `catalog/references.bib`; for a plugin the reference itself.
        inputs: the kinds of input that a model reads or a task provides, the default first.
        small: options for a small instance in tests.

    Raises:
        ValueError: a value has the wrong type or format.
    """

    name: str
    summary: str
    paper: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ("sequences",)
    small: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the type and the format of each value."""
        name = self.name if isinstance(self.name, str) else ""
        _check("name", self.name, re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), "a word such as my-cell")
        _check("summary", self.summary, isinstance(self.summary, str) and self.summary.strip(), "one sentence")
        for field_name in ("paper", "inputs"):
            value = getattr(self, field_name)
            words = isinstance(value, tuple) and all(isinstance(word, str) for word in value)
            _check(field_name, value, words, 'a tuple of strings, such as ("sequences",)')
        options = isinstance(self.small, dict) and all(isinstance(name, str) for name in self.small)
        _check("small", self.small, options, 'a dict of options, such as {"hidden_size": 4}')


@dataclass(frozen=True, kw_only=True)
class ModelCard(Card):
    """Card of a model."""


@dataclass(frozen=True, kw_only=True)
class TaskCard(Card):
    """Card of a task.

    Attributes:
        unit: the unit of lengths.
        test_lengths: lengths of the final evaluation, those of training first; empty for a test split of fixed length.
        picture_length: length of the sequence in the picture of the memory, longer than in training; 0 for no picture.
    """

    unit: str = "steps"
    test_lengths: tuple[int, ...] = ()
    picture_length: int = 0

    def __post_init__(self) -> None:
        """Check the type and the format of each value."""
        super().__post_init__()
        _check("unit", self.unit, isinstance(self.unit, str) and self.unit, "a word such as steps")
        lengths = isinstance(self.test_lengths, tuple) and all(_is_length(length, 1) for length in self.test_lengths)
        _check("test_lengths", self.test_lengths, lengths, "a tuple of integers of at least 1")
        _check("picture_length", self.picture_length, _is_length(self.picture_length, 0), "an integer of at least 0")


def _is_length(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _check(name: str, value: Any, holds: Any, form: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {value!r}, but it must be {form}; correct it there")
