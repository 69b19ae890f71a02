"""Recipe: settings that a model is known to learn a task with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings that a model is known to learn a task with."""

    name: str
    """As in "ntm/copy-feedforward": model, task and, where there are several, a variant."""
    model: str
    task: str
    model_options: Mapping[str, Any] = field(default_factory=dict)
    task_options: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Numbers to compare with: for a metric such as "accuracy_test", values by the network or baseline that has them."""
    source: str | None = None
    """Where these numbers stand: paper, figure or table."""
    formerly: str | None = None
    """The name that this recipe had before, which is understood still."""
