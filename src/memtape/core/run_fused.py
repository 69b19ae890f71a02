"""Run fused: run a fused kernel over sequences with all options of `unroll`."""

from itertools import count
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

import torch
from torch import Tensor, nn

from memtape.core.cell import AnyCell, Cell, FusedRun, fused_run
from memtape.core.missing_kernels import warn_if_missing
from memtape.core.recompute import recomputed
from memtape.core.starts import Starts, run_with_starts
from memtape.core.transforms import transforming

S = TypeVar("S")

_COMPILED: WeakKeyDictionary[nn.Module, Any] = WeakKeyDictionary()
_NUMBERS = count()


def compiled(cell: AnyCell) -> Any:
    """Return the step of a cell, compiled by `torch.compile` once for each cell."""
    if cell not in _COMPILED:
        known = ref(cell)  # a strong reference would keep the key of the table alive

        def step(x: Tensor, state: Any) -> Any:
            return known()(x, state)  # type: ignore[misc]

        # torch limits the compilations of one code object, so that the ninth cell would not be compiled.
        step.__code__ = step.__code__.replace(co_name=f"step_{next(_NUMBERS)}")
        _COMPILED[cell] = torch.compile(step)
    return _COMPILED[cell]


def has_hooks(cell: AnyCell) -> bool:
    """Return whether a hook needs single steps: on the cell, on one of its parts or on all modules."""
    return bool(nn.modules.module._has_any_global_hook()) or any(
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
        for module in cell.modules()
    )


def has_own_hooks(module: nn.Module) -> bool:
    """Return whether a call of a module runs more than its class's `forward`: hooks, or a `forward` of its own."""
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or nn.modules.module._has_any_global_hook()
        or "forward" in vars(module)
    )


def kernel_of(cell: Cell[S], backend: str, device: str) -> FusedRun[S] | None:
    """Return the fused kernel that runs a cell over sequences, None if the cell has to be run step by step.

    Everything that runs cells over sequences finds the kernel here, so that it warns if kernels are missing.

    Args:
        cell: the cell.
        backend: the backend in use.
        device: the type of device of the inputs.
    """
    if has_hooks(cell) or transforming():
        return None
    warn_if_missing(cell, device)
    return fused_run(cell, backend)


def run_fused(
    kernel: FusedRun[S],
    cell: AnyCell,
    xs: Tensor,
    state: S,
    *,
    initial: S,
    lengths: Tensor | None,
    starts: Tensor | None,
    checkpoint_every: int | None,
) -> tuple[Tensor, S]:
    """Run a fused kernel with all options of `unroll`.

    Args:
        kernel: the fused kernel of a cell.
        cell: the cell, whose tensors recomputation needs.
        xs: the inputs, zero beyond a row's length.
        state: the state before the first step.
        initial: the initial state of the cell.
        lengths: number of valid steps of each row.
        starts: where a new sequence starts inside a row, never beyond the row's length.
        checkpoint_every: store the state only at intervals of this many steps, and recompute the others in the backward
            pass.

    Returns:
        The outputs, and the state after each row's last step.
    """

    def steps(xs: Tensor, state: S, initial: S, lengths: Tensor | None, starts: Tensor | None) -> tuple[Tensor, S]:
        inside = (
            None if starts is None or not (torch.compiler.is_compiling() or starts.any()) else Starts(starts, initial)
        )
        return run_with_starts(kernel, xs, state, lengths, inside)

    if not checkpoint_every:
        return steps(xs, state, initial, lengths, starts)
    outputs = []
    for first in range(0, xs.shape[1], checkpoint_every):
        part = xs[:, first : first + checkpoint_every]
        rest = None if lengths is None else (lengths - first).clamp(0, part.shape[1])
        fresh = None if starts is None else starts[:, first : first + checkpoint_every]
        ys, state = recomputed(steps, cell, part, state, initial, rest, fresh)
        outputs.append(ys)
    return torch.cat(outputs, dim=1), state
