"""Unroll: run a cell over whole sequences."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from memtape.core import checks, growth, padding, state_tree
from memtape.core.backends import backend_for
from memtape.core.cell import Cell
from memtape.core.cell_contract import first_step, initial_state, require_cells
from memtape.core.exported_loop import exported_loop
from memtape.core.integers import Lengths
from memtape.core.recompute import recomputed
from memtape.core.run_fused import compiled, kernel_of, run_fused
from memtape.core.symbols import vectors_of

S = TypeVar("S")


def unroll(
    cell: Cell[S],
    xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
    state: S | None = None,
    *,
    lengths: Lengths | None = None,
    starts: Bool[Tensor, "batch time"] | None = None,
    collect: Callable[[S], Any] | None = None,
    checkpoint_every: int | None = None,
) -> tuple[Float[Tensor, "batch time output"], S, Any]:
    r"""Apply a cell at every step of a batch of sequences, passing the state from step to step.

    $$(y_t, s_t) = f(x_t, s_{t-1}), \qquad t = 1 \dots T$$

    Args:
        cell: the step $f$.
        xs: the inputs; integers of shape (batch, time) are symbols, which represent one-hot vectors.
        state: $s_0$; None for `cell.init_state`.
        lengths: number of valid steps of each row, integers of any size. Beyond them inputs are ignored, outputs are
            zero and the state keeps its value of the row's last valid step.
        starts: where a new sequence starts inside a row: the state is reset to the initial state before that step.
        collect: function that selects what to return of the state after each step, such as `lambda state:
            state.memory.weights`.
        checkpoint_every: store the state only at intervals of this many steps, and recompute the others in the backward
            pass.

    Returns:
        The outputs, the state after each row's last step, and what `collect` selected, stacked along axis 1 (None
        without `collect`).

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has the wrong shape, dtype, device or value.

    Example:
        >>> import torch
        >>> from memtape import unroll
        >>> from memtape.cells import GRUCell
        >>> ys, state, trace = unroll(GRUCell(3, 4), torch.zeros(2, 5, 3), collect=lambda state: state.hidden)
        >>> ys.shape, state.hidden.shape, trace.shape
        (torch.Size([2, 5, 4]), torch.Size([2, 4]), torch.Size([2, 5, 4]))
    """
    require_cells("unroll", cell)
    cell, xs = vectors_of(cell, xs, lengths)
    checks.sequences(cell, xs)
    if checkpoint_every is not None:
        checks.at_least(1, checkpoint_every=checkpoint_every)
    batch, time = xs.shape[:2]
    state, initial = _before_the_run(cell, state, xs)
    alive, all_alive_until = None, time
    if lengths is not None:
        lengths = checks.lengths_of(xs, lengths)
        alive = padding.alive(xs, lengths)
        all_alive_until = 0 if torch.compiler.is_compiling() or not batch else int(lengths.min())
        xs = padding.zero_beyond(xs, lengths)
    if starts is not None:
        starts = checks.starts_of(xs, starts)
        starts = starts if alive is None else starts & alive
    checks.finite(xs)

    backend = backend_for(xs.device.type)
    kernel = None if collect else kernel_of(cell, backend, xs.device.type)
    if kernel is not None:
        options: dict[str, Any] = {"initial": initial, "lengths": lengths, "starts": starts}
        return *run_fused(kernel, cell, xs, state, **options, checkpoint_every=checkpoint_every), None
    step = compiled(cell) if backend == "compile" else cell

    if torch.compiler.is_exporting():

        def traced(x: Tensor, starting: Tensor | None, inside: Tensor | None, state: S) -> tuple[Any, S]:
            y, state = _one(step, x, starting, inside, state, initial=initial)
            return (y, collect(state) if collect else ()), state

        (whole, trace), last = exported_loop(traced, (xs, starts, alive), state)
        return whole, last, trace if collect else None

    def steps(first: int, xs: Tensor, state: S, initial: S) -> tuple[list[Tensor], S, list[Any]]:
        ys, collected = [], []
        for t, x in enumerate(xs.unbind(dim=1), first):
            starting = None if starts is None else starts[:, t]
            inside = alive[:, t] if alive is not None and t >= all_alive_until else None
            take = step if t else partial(first_step, cell, step)
            y, state = _one(take, x, starting, inside, state, initial=initial)
            ys.append(y)
            if collect:
                collected.append(collect(state))
        return ys, state, collected

    outputs: list[Tensor] = []
    collected: list[Any] = []
    stride = checkpoint_every or time
    for first in range(0, time, stride):
        part = xs[:, first : first + stride]
        if checkpoint_every:
            ys, state, kept = recomputed(steps, cell, first, part, state, initial)
        else:
            ys, state, kept = steps(first, part, state, initial)
        outputs += ys
        collected += kept
    return torch.stack(outputs, dim=1), state, state_tree.stack(collected, axis=1) if collect else None


def _before_the_run(cell: Cell[S], state: S | None, xs: Tensor) -> tuple[S, S]:
    """Return the state before the first step, checked, and the initial state, both with room for all steps."""
    batch, time = xs.shape[:2]
    initial = initial_state(cell, batch, xs)
    given = initial if state is None else checks.state_for(cell, state, growth.as_large(initial, state), batch)
    given = growth.with_room(given, time)
    return given, growth.as_large(initial, given)


def _one(
    step: Callable[..., tuple[Tensor, S]],
    x: Tensor,
    starting: Bool[Tensor, " batch"] | None,
    inside: Bool[Tensor, " batch"] | None,
    state: S,
    *,
    initial: S,
) -> tuple[Tensor, S]:
    """Take one step of rows that start anew, continue, or have ended before."""
    if starting is not None:
        state = state_tree.select(starting, initial, state)
    y, moved = step(x, state)
    moved = growth.cut(moved, state)
    if torch.is_autocast_enabled(x.device.type):
        moved = state_tree.like(moved, state)
    if inside is not None:
        moved = state_tree.select(inside, moved, state)
        y = torch.where(inside[:, None], y, 0)
    return y, moved
