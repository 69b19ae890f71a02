"""Conditioned: a cell that receives one context vector for the whole sequence."""

from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.core import checks, state_tree
from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.cell_contract import require_cells
from memtape.core.state import state

Into = Literal["input", "state", "both"]
INTO = ("input", "state", "both")


@state
class ConditionedState:
    """The context, constant over time, and the state of the cell."""

    context: Float[Tensor, "*batch context"]
    cell: Any


class Conditioned(Cell[ConditionedState]):
    r"""Condition a cell on a context vector: as part of its input at every step, through its initial state, or both.

    $$(y_t, s_t) = f([x_t; c], s_{t-1}), \qquad s_0 = s_{\text{cell}} + \tanh(W c + b)$$

    Use `begin(context)` as the initial state of a sequence. `init_state`, and a start inside a row, use a context of zeros.
    Parts of the cell's state that are not floating-point numbers, such as counters, keep their usual initial value.

    Args:
        cell: the cell $f$; unless `into` is "state", its input is $[x_t; c]$.
        context_size: size of $c$.
        into: where the context enters: "input", "state" or "both".

    Raises:
        ValueError: a size is below 1, the choice is unknown, or the cell's input is not larger than the context.
    """

    def __init__(self, cell: AnyCell, context_size: int, *, into: Into = "both"):
        super().__init__()
        require_cells(type(self).__name__, cell)
        checks.module_sizes(self, context_size=context_size)
        checks.one_of(INTO, into=into)
        self.cell, self.context_size, self.into = cell, context_size, into
        self.input_size = cell.input_size - (context_size if into != "state" else 0)
        self.output_size = cell.output_size
        if self.input_size < 1:
            raise ValueError(
                f"the cell takes inputs of size {cell.input_size}, but the context alone has size {context_size} and is "
                "concatenated to an input; give the cell an input_size of both together"
            )
        sizes = [] if into == "input" else [leaf.numel() for leaf in _numbers(cell.init_state(1))]
        layers = [nn.Linear(context_size, size) for size in sizes]
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.to_state = nn.ModuleList(layers)

    def begin(self, context: Float[Tensor, "batch context"]) -> ConditionedState:
        """Return the initial state of sequences with these contexts."""
        state = self.cell.init_state(context.shape[0], device=context.device, dtype=context.dtype)
        layers = iter(self.to_state)

        def moved(leaf: Tensor) -> Tensor:
            if self.into == "input" or not leaf.is_floating_point():
                return leaf
            return leaf + torch.tanh(next(layers)(context)).reshape(leaf.shape)

        return ConditionedState(context=context, cell=pytree.tree_map(moved, state))

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> ConditionedState:
        """Return the initial state for a context of zeros."""
        return self.begin(torch.zeros(batch_size, self.context_size, device=device, dtype=dtype))

    def forward(
        self, x: Float[Tensor, "batch input"], state: ConditionedState
    ) -> tuple[Float[Tensor, "batch output"], ConditionedState]:
        """Take one step."""
        seen = x if self.into == "state" else torch.cat([x, state.context], dim=-1)
        y, cell = self.cell(seen, state.cell)
        return y, ConditionedState(context=state.context, cell=cell)

    def fused(self, backend: str) -> FusedRun[ConditionedState] | None:
        """Return the fused kernel of the inner cell, with the context concatenated to its inputs."""
        inner = fused_run(self.cell, backend)
        return None if inner is None else partial(self._whole, inner)

    def _whole(
        self, inner: FusedRun[Any], xs: Tensor, state: ConditionedState, lengths: Tensor | None
    ) -> tuple[Tensor, ConditionedState]:
        context = state.context[:, None].expand(-1, xs.shape[1], -1)
        seen = xs if self.into == "state" else torch.cat([xs, context], dim=-1)
        ys, cell = inner(seen, state.cell, lengths)
        return ys, ConditionedState(context=state.context, cell=cell)


def _numbers(state: Any) -> list[Tensor]:
    return [leaf for leaf in state_tree.leaves(state) if leaf.is_floating_point()]
