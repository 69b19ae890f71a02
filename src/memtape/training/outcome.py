"""Outcome: how a training ended."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a training ended; the network holds the weights of its best validation."""

    finished: bool
    """Whether it came to its end; else it was interrupted and can be resumed."""
    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: dict[str, float]
    """Scores of the best validation."""
    restarts: int = 0
    """How often it began again; steps, sequences and seconds count all of it."""
    skipped: int = 0
    """Updates that were skipped because something was not finite."""
    rollbacks: int = 0
