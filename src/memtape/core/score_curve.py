"""Score curve: a score at each of several places of a sequence, such as at each presentation of a class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from memtape.core.score import Score


@dataclass(frozen=True, kw_only=True)
class ScoreCurve:
    """A score at each of several places."""

    places: tuple[int, ...]
    values: tuple[float, ...]
    """The score at each place."""
    axis: str
    """What a place is, such as "presentation of a class"."""
    score: Score
    chance: float | None = None
    """The chance level; None if it is unknown."""


@runtime_checkable
class Curved(Protocol):
    """A task with a score curve."""

    def curve(self, tally: Mapping[str, float]) -> ScoreCurve:
        """Return the curve from the sums of `Task.tally`."""
        ...
