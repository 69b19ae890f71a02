"""Recipe: settings with which a model learns a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings with which a model learns a task, and published numbers."""

    name: str
    """Model, task and an optional variant, such as "ntm/copy-feedforward"."""
    model: str
    task: str
    model_options: Mapping[str, Any] = field(default_factory=dict)
    task_options: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Published numbers: for a metric such as "accuracy_test", values by the name of the network or baseline."""
    source: str | None = None
    """The source of these numbers: paper, figure or table."""
    each: tuple[str, tuple[Any, ...]] | None = None
    """An option such as "task.numbers", and the values with which `memtape reproduce` trains; None for the recipe alone."""
    each_with: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Further options, such as "model.memory_size", and their value beside each value of `each`."""
    published_each: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Published numbers of each part, a value of `each` or a part of the test, by the name of the network."""
    formerly: str | None = None
    """The former name of this recipe, which is still accepted."""
