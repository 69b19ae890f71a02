"""Outcome: the result of a training run."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a training run; the network has the weights of its best validation."""

    finished: bool
    """Whether the run reached its end; if not, it was interrupted and can be resumed."""
    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: dict[str, float]
    """Scores of the best validation."""
    restarts: int = 0
    """Number of restarts; steps, sequences and seconds include those before a restart."""
    skipped: int = 0
    """Number of steps that were skipped because a loss or a gradient was not finite."""
    rollbacks: int = 0
