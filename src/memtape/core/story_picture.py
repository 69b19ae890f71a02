"""Story picture: the data of a figure of a question about a story."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class StoryPicture:
    """A story, a question about it, and the answer of a network, as text."""

    sentences: tuple[str, ...]
    question: str
    supports: tuple[int, ...]
    """The sentences that the answer follows from, as indices; empty where they are unknown."""
    target: str
    answer: str | None = None
    """The network's answer; None without a network."""


@runtime_checkable
class TellsStories(Protocol):
    """A task whose examples are stories with a question."""

    def story(self, batch: Any, outputs: Tensor | None = None, row: int = 0) -> StoryPicture:
        """Return one story as text, with the network's answer if its outputs are given."""
        ...
