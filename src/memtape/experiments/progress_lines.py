"""Progress lines: a line for each validation, and in a terminal or a notebook one line that is updated at each step."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from memtape.core.score import Score

SECONDS = 0.2
"""Least time between two updates of the line."""


class ProgressLines:
    """The progress of a training run, as text.

    Args:
        scored: the scores of the task.
        steps: number of steps of the run.
        stream: where to print.
        updated: whether to print a line that is updated; None means in a terminal or a notebook.
    """

    def __init__(self, scored: Sequence[Score], steps: int, *, stream: TextIO, updated: bool | None = None):
        self.scored, self.steps, self.stream = scored, steps, stream
        self.updated = stream.isatty() or "ipykernel" in sys.modules if updated is None else updated
        self.begun, self.shown_at, self.width = time.perf_counter(), 0.0, 0

    def on_step(self, step: int, scores: Mapping[str, float]) -> None:
        """Update the line of the current step, a few times a second."""
        now = time.perf_counter()
        if self.updated and now - self.shown_at >= SECONDS:
            self.shown_at = now
            self._write(f"step {step} of {self.steps}  loss {scores['loss']:.4f}", end="")

    def on_record(self, values: Mapping[str, Any]) -> None:
        """Print a line for each validation, restart, skipped step and rollback."""
        place = f"step {values['step']:6d}"
        if values["kind"] == "validation":
            scores = ", ".join(f"{values[score.name]:.3f} {score.short}" for score in self.scored)
            self._write(f"{place}  {time.perf_counter() - self.begun:7.1f} s  validation: {scores}")
        elif values["kind"] == "restart":
            self._write(f"{place}  stuck; restarting with other weights")
        elif values["kind"] == "skip":
            self._write(f"{place}  skipped, as {values['place']} is not finite")
        elif values["kind"] == "rollback":
            self._write(f"{place}  back to step {values['back_to']}, as {values['place']} is not finite")

    def print(self, text: str) -> None:
        """Print a line."""
        self._write(text)

    def close(self) -> None:
        """Remove the line of the current step."""
        if self.width:
            self._write("", end="")
            self.stream.write("\r")
            self.stream.flush()

    def _write(self, text: str, end: str = "\n") -> None:
        """Print a text over the line of the current step."""
        begin = "\r" if self.width else ""
        padded = f"{text:{self.width}}" if self.width else text
        self.stream.write(f"{begin}{padded.rstrip() if end and not self.width else padded}{end}")
        self.stream.flush()
        self.width = 0 if end else len(text)
