"""Stack run: one run of a nondeterministic stack, step by step, and its views."""

import math
from dataclasses import dataclass

import numpy as np

from memtape.core.view import View, Views


@dataclass(frozen=True, kw_only=True)
class StackRun:
    """One run of a nondeterministic stack.

    Attributes:
        operations: the operation of each step: "push", "replace" or "pop".
        states: the state after each step.
        stacks: the symbols on the stack after each step, the top last.
        log_weight: the logarithm of the weight of the run, the product of the weights of its operations.
        share: its share of the weight of all runs that end as it does.
    """

    operations: tuple[str, ...]
    states: tuple[int, ...]
    stacks: tuple[tuple[int, ...], ...]
    log_weight: float
    share: float

    @property
    def weight(self) -> float:
        """The weight of the run."""
        return math.exp(self.log_weight)

    def views(self) -> Views:
        """Return the views: the state after each step, and the stack with its bottom at the lower edge.

        Cells have the numbers of their symbols, from 1 on for the bottom symbol; where there is no cell, it is 0. To draw
        them below those of a trace, add them to its views.
        """
        height = max(map(len, self.stacks))
        cells = np.zeros((len(self.stacks), height))
        for step, stack in enumerate(self.stacks):
            cells[step, height - len(stack) :] = np.array(stack[::-1]) + 1
        count = max(self.states) + 1
        return (
            View(
                name="best_state",
                title="Best run",
                values=np.eye(count)[list(self.states)],
                axes=("state",),
                scale="level",
                measure="best run",
                entries=tuple(f"state {q}" for q in range(count)),
            ),
            View(
                name="best_stack",
                title="Its stack",
                values=cells,
                axes=("height",),
                scale="amount",
                measure="symbol + 1",
                entries=tuple(f"cell {place}" for place in reversed(range(height))),
            ),
        )
