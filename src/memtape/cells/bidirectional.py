"""Bidirectional: a sequence read from both ends."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from memtape.core import checks, padding
from memtape.core.cell import AnyCell
from memtape.core.state import state
from memtape.core.unroll import unroll


@state
class BidirectionalState:
    """The states of both directions."""

    forwards: Any
    backwards: Any


class Bidirectional(nn.Module):
    r"""Run one cell from the first step of each row to its last and another one back; the output is both of theirs.

    $$(h_t, s_t) = f(x_t, s_{t-1}), \qquad (g_t, r_t) = b(x_t, r_{t+1}), \qquad y_t = [h_t; g_t]$$

    The way back begins at each row's own end, and a start inside a row cuts both ways.

    Args:
        forwards: the cell $f$.
        backwards: the cell $b$.

    Raises:
        ValueError: two cells whose inputs differ in size.

    References:
        Schuster & Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45,
        doi:10.1109/78.650093.
    """

    def __init__(self, forwards: AnyCell, backwards: AnyCell):
        super().__init__()
        if forwards.input_size != backwards.input_size:
            raise ValueError(
                f"the cell forwards takes inputs of size {forwards.input_size}, but the one backwards of size "
                f"{backwards.input_size}; make the two sizes equal"
            )
        self.forwards = forwards
        self.backwards = backwards
        self.input_size = forwards.input_size
        self.output_size = forwards.output_size + backwards.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> BidirectionalState:
        """Return the states that both directions begin from.

        Device and dtype are those of the parameters unless given.
        """
        parameter = next(self.parameters(), None)
        if parameter is not None:
            device, dtype = device or parameter.device, dtype or parameter.dtype
        return BidirectionalState(
            forwards=self.forwards.init_state(batch_size, device=device, dtype=dtype),
            backwards=self.backwards.init_state(batch_size, device=device, dtype=dtype),
        )

    def forward(
        self,
        xs: Float[Tensor, "batch time input"] | Int[Tensor, "batch time"],
        state: BidirectionalState | None = None,
        *,
        lengths: Int[Tensor, " batch"] | None = None,
        starts: Bool[Tensor, "batch time"] | None = None,
        checkpoint_every: int | None = None,
    ) -> tuple[Float[Tensor, "batch time output"], BidirectionalState]:
        """Run over whole sequences; the arguments are those of `Recurrent`.

        Args:
            xs: the inputs.
            state: what the directions begin from, one at each row's first step, the other at its last.
            lengths: how many steps of each row count.
            starts: where a new sequence begins inside a row.
            checkpoint_every: recompute in the backward pass, keeping the state of every so many steps only.

        Returns:
            The outputs, zero beyond a row's length, and where each direction came out: at the last step, and at the first.
        """
        if lengths is not None:
            lengths = checks.lengths_of(xs, lengths)
        if starts is not None:
            starts = checks.starts_of(xs, starts)
        options: dict[str, Any] = {"lengths": lengths, "starts": starts, "checkpoint_every": checkpoint_every}
        there, last, _ = unroll(self.forwards, xs, state and state.forwards, **options)
        back, first = unroll_backwards(self.backwards, xs, state and state.backwards, **options)
        return torch.cat([there, back], dim=-1), BidirectionalState(forwards=last, backwards=first)


def unroll_backwards(
    cell: AnyCell,
    xs: Float[Tensor, "batch time input"] | Int[Tensor, "batch time"],
    state: Any = None,
    *,
    lengths: Int[Tensor, " batch"] | None = None,
    starts: Bool[Tensor, "batch time"] | None = None,
    checkpoint_every: int | None = None,
) -> tuple[Float[Tensor, "batch time output"], Any]:
    """Run a cell from each row's own last step to its first; a start inside a row cuts this way too.

    Args:
        cell: the cell.
        xs: the inputs.
        state: what it begins from at each row's last step.
        lengths: how many steps of each row count, known to fit.
        starts: where a new sequence begins inside a row, known to fit.
        checkpoint_every: recompute in the backward pass, keeping the state of every so many steps only.

    Returns:
        The outputs at their steps, zero beyond a row's length, and where the cell came out at the first step.
    """
    fresh = None
    if starts is not None:
        counted = starts if lengths is None else starts & padding.alive(xs, lengths)
        before = torch.cat([counted[:, 1:], torch.zeros_like(counted[:, :1])], dim=1)
        fresh = padding.reversed_rows(before, lengths)
    turned = padding.reversed_rows(xs, lengths)
    back, first, _ = unroll(cell, turned, state, lengths=lengths, starts=fresh, checkpoint_every=checkpoint_every)
    return padding.reversed_rows(back, lengths), first
