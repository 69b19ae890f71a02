"""Bidirectional: one cell runs forwards in time, another one backwards."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.core import checks, padding, state_tree
from memtape.core.cell import AnyCell
from memtape.core.cell_contract import require_cells
from memtape.core.integers import Lengths
from memtape.core.state import state
from memtape.core.unroll import unroll


@state
class BidirectionalState:
    """The states of the forward and the backward cell."""

    forwards: Any
    backwards: Any


class Bidirectional(nn.Module):
    r"""Run one cell forwards and another one backwards in time, and concatenate their outputs at each step.

    $$(h_t, s_t) = f(x_t, s_{t-1}), \qquad (g_t, r_t) = b(x_t, r_{t+1}), \qquad y_t = [h_t; g_t]$$

    The backward cell starts at the last valid step of each row. A start inside a row resets both directions.

    Args:
        forwards: the cell $f$.
        backwards: the cell $b$; its `input_size` equals that of $f$.

    Raises:
        ValueError: the input sizes of the two cells differ.

    References:
        Schuster & Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45,
        doi:10.1109/78.650093.
    """

    def __init__(self, forwards: AnyCell, backwards: AnyCell):
        super().__init__()
        require_cells(type(self).__name__, forwards, backwards)
        if forwards.input_size != backwards.input_size:
            raise ValueError(
                f"the forward cell takes inputs of size {forwards.input_size}, but the backward cell takes inputs of size "
                f"{backwards.input_size}; make the two sizes equal"
            )
        self.forwards = forwards
        self.backwards = backwards
        self.input_size = forwards.input_size
        self.output_size = forwards.output_size + backwards.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> BidirectionalState:
        """Return the initial states of both directions.

        Device and dtype default to those of the parameters.
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
        xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
        state: BidirectionalState | None = None,
        *,
        lengths: Lengths | None = None,
        starts: Bool[Tensor, "batch time"] | None = None,
        collect: Callable[[BidirectionalState], Any] | None = None,
        checkpoint_every: int | None = None,
    ) -> Any:
        """Run over whole sequences; the arguments are those of `Recurrent`.

        Args:
            xs: the inputs.
            state: the initial states, of the forward cell before each row's first step, of the backward cell after its last.
            lengths: the number of valid steps of each row.
            starts: True where a new sequence starts inside a row.
            collect: function that selects what to return of the states of each step, of which the backward one has read
                this step and all later ones.
            checkpoint_every: save the state of every n-th step only, and recompute the others in the backward pass.

        Returns:
            The outputs, zero beyond a row's length, and the final states: forwards after the last step, backwards after the
            first; with `collect` also what it selected, stacked along axis 1, which is that of the final states beyond a
            row's length.
        """
        if lengths is not None:
            lengths = checks.lengths_of(xs, lengths)
        if starts is not None:
            starts = checks.starts_of(xs, starts)
        if state is not None:
            checks.state_for(self, state, self.init_state(xs.shape[0]), xs.shape[0])
        options: dict[str, Any] = {"lengths": lengths, "starts": starts, "checkpoint_every": checkpoint_every}
        if collect is not None:
            options["collect"] = _whole
        there, last, forwards = unroll(self.forwards, xs, state and state.forwards, **options)
        back, first, backwards = unroll_backwards(self.backwards, xs, state and state.backwards, **options)
        ys, final = torch.cat([there, back], dim=-1), BidirectionalState(forwards=last, backwards=first)
        if collect is None:
            return ys, final
        return ys, final, state_tree.over_steps(collect, BidirectionalState(forwards=forwards, backwards=backwards))


def unroll_backwards(
    cell: AnyCell,
    xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"],
    state: Any = None,
    *,
    lengths: Int[Tensor, " batch"] | None = None,
    starts: Bool[Tensor, "batch time"] | None = None,
    collect: Callable[[Any], Any] | None = None,
    checkpoint_every: int | None = None,
) -> tuple[Float[Tensor, "batch time output"], Any, Any]:
    """Run a cell backwards in time, from each row's last valid step to its first; a start inside a row resets the state.

    Args:
        cell: the cell.
        xs: the inputs.
        state: the initial state, used at each row's last valid step.
        lengths: the number of valid steps of each row, already validated.
        starts: True where a new sequence starts inside a row, already validated.
        collect: function that selects what to return of the state after each step.
        checkpoint_every: save the state of every n-th step only, and recompute the others in the backward pass.

    Returns:
        The outputs in the order of the inputs, zero beyond a row's length, the state after the first step of each row, and
        what `collect` selected, in the order of the inputs (None without `collect`).
    """
    fresh = None
    if starts is not None:
        counted = starts if lengths is None else starts & padding.alive(xs, lengths)
        before = torch.cat([counted[:, 1:], torch.zeros_like(counted[:, :1])], dim=1)
        fresh = padding.reversed_rows(before, lengths)
    turned = padding.reversed_rows(xs, lengths)
    back, first, trace = unroll(
        cell, turned, state, lengths=lengths, starts=fresh, collect=collect, checkpoint_every=checkpoint_every
    )
    if trace is not None:
        trace = pytree.tree_map(lambda leaf: padding.reversed_rows(leaf, lengths), trace)
    return padding.reversed_rows(back, lengths), first, trace


def _whole(state: Any) -> Any:
    return state
