"""Best run: the run of the largest weight of a nondeterministic stack, by the recurrence of its table with maxima for sums."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from memtape.memory.nondeterministic_stack import OPERATIONS, NondeterministicStack, NondeterministicStackControl
from memtape.memory.stack_run import StackRun

Configuration = tuple[int, int]
"""A state and the top symbol."""


@torch.no_grad()
def best_run(
    memory: NondeterministicStack,
    controls: Sequence[NondeterministicStackControl],
    *,
    end: Configuration | None = None,
    row: int = 0,
) -> StackRun | None:
    """Return the run with the largest weight from the initial state of a stack on, by Viterbi's algorithm.

    Args:
        memory: the stack, without a window.
        controls: the control of each step, one or more.
        end: state and top symbol after the last step; None for any.
        row: the row of the batch.

    Returns:
        The run, or None if no run has a positive weight.

    Raises:
        ValueError: the stack has a window.

    References:
        Viterbi (1967), "Error bounds for convolutional codes and an asymptotically optimum decoding algorithm", IEEE
        Transactions on Information Theory 13, doi:10.1109/TIT.1967.1054010; here on the table of `memtape.ops.stack_column`.
    """
    if memory.window is not None:
        raise ValueError(
            f"the window of the stack is {memory.window}, but the best run is one of all runs; use a stack without a window"
        )
    state = memory.init_state(len(controls[0].log_scale), dtype=controls[0].push.dtype)
    for control in controls:
        state = memory.write(control, state)
    totals = memory.log_weights(state)[row]
    table = _MaximumTable(controls, row)
    last = table.tops[-1]
    place = _place(last) if end is None else end
    log_weight = last[place].item()
    if log_weight == -math.inf:
        return None
    total = totals.flatten().logsumexp(0) if end is None else totals[place]
    operations, states, stacks = [], [], [(0,)]
    for operation, r, y in table.operations_to(*place):
        below = stacks[-1] if operation == "push" else stacks[-1][:-1]
        operations.append(operation)
        states.append(r)
        stacks.append(below if operation == "pop" else (*below, y))
    return StackRun(
        operations=tuple(operations),
        states=tuple(states),
        stacks=tuple(stacks[1:]),
        log_weight=log_weight,
        share=math.exp(log_weight - total.item()),
    )


class _MaximumTable:
    r"""The logarithms of the largest weights of the runs in each block of the table, in float64.

    `blocks[i + 1, t]` is that of $\gamma_{i \to t}$ and `tops[i + 1]` that of $\alpha_i$; the first time i is -1.
    """

    def __init__(self, controls: Sequence[NondeterministicStackControl], row: int):
        self.push, self.replace, self.pop = (
            torch.stack([getattr(one, name)[row].double().log() + one.log_scale[row].double() for one in controls])
            for name in OPERATIONS
        )
        steps, size = len(controls), self.push.shape[1:3]
        self.blocks = torch.full((steps + 1, steps + 1, *size, *size), -math.inf, dtype=torch.float64)
        self.blocks[0, 0, 0, 0, 0, 0] = 0
        self.tops = [self.blocks[0, 0, 0, 0]] * 2
        for time in range(1, steps + 1):
            self.blocks[time, time] = self.push[time - 1]
            last = self.blocks[:time, time - 1]
            self.blocks[:time, time] = (last[..., None, None] + self.replace[time - 1]).flatten(3, 4).amax(3)
            popped = (last[1:, ..., None] + self.pop[time - 1]).flatten(3, 4).amax(3)
            for first in range(time - 1):
                pairs = self.blocks[first, first : time - 1, ..., None] + popped[first:, None, None]
                block = self.blocks[first, time]
                torch.maximum(block, pairs.amax((0, 3)).transpose(2, 3), out=block)
            before = torch.stack(self.tops)[..., None, None]
            self.tops.append((before + self.blocks[: time + 1, time]).flatten(0, 2).amax(0))

    def operations_to(self, state: int, symbol: int) -> list[tuple[str, int, int]]:
        """Return the best operations up to a state and a top symbol, each with the state and the top symbol after it."""
        pending: list[tuple[int, ...]] = []
        time, after = len(self.push), (state, symbol)
        while time > 0:
            source, *before = _place(torch.stack(self.tops[: time + 1]) + self.blocks[: time + 1, time, ..., *after])
            pending.insert(0, (source, time, *before, *after))
            time, after = source - 1, (before[0], before[1])
        operations = []
        while pending:
            source, time, q, x, r, y = pending.pop()
            if source == time:
                operations += [("push", r, y)] * (time > 0)
                continue
            replaced = self.blocks[source, time - 1, q, x] + self.replace[time - 1, :, :, r, y]
            popped = (
                self.blocks[source, source : time - 1, q, x, :, y, None, None]
                + self.blocks[source + 1 : time, time - 1, :, y]
                + self.pop[time - 1, :, :, r]
            )
            if popped.numel() and popped.max() > replaced.max():
                place, u, *last = _place(popped)
                operations.append(("pop", r, y))
                pending += [(source, source + place, q, x, u, y), (source + place + 1, time - 1, u, y, *last)]
            else:
                operations.append(("replace", r, y))
                pending.append((source, time - 1, q, x, *_place(replaced)))
        return operations[::-1]


def _place(values: Tensor) -> tuple[int, ...]:
    """Return the indices of the largest value."""
    return tuple(int(one) for one in torch.unravel_index(values.argmax(), values.shape))
