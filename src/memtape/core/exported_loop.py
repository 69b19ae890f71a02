"""Exported loop: the loop over time as one operation of an exported program, for any number of steps."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._higher_order_ops import scan
from torch.utils import _pytree as pytree

S = TypeVar("S")


def exported_loop(step: Callable[..., tuple[Any, S]], along: tuple[Tensor | None, ...], state: S) -> tuple[Any, S]:
    """Apply a step along time as the operation `scan` of torch, which `torch.export` does not unroll.

    Args:
        step: called with the tensors of one step and the state; returns a tree of tensors and the next state, whose
            tensors have the shapes and dtypes of those before.
        along: tensors of shape (batch, time, ...); None is passed on to every step.
        state: the state before the first step.

    Returns:
        The trees of all steps, stacked along axis 1, and the last state.
    """
    leaves, structure = pytree.tree_flatten(state)
    present = [part.transpose(0, 1).contiguous() for part in along if part is not None]

    def one(carry: list[Tensor], given: list[Tensor]) -> tuple[list[Tensor], Any]:
        rest = iter(given)
        parts = [None if part is None else next(rest) for part in along]
        result, after = step(*parts, pytree.tree_unflatten(carry[: len(leaves)], structure))
        kept = pytree.tree_leaves(after) if leaves else carry
        return [_own(leaf) for leaf in kept], pytree.tree_map(_own, result)

    # the operation needs a carried tensor, and a state may have none
    last, results = scan(one, [_own(leaf) for leaf in leaves or [torch.zeros(1, device=present[0].device)]], present)
    outputs = pytree.tree_map(lambda leaf: leaf.transpose(0, 1), results)
    return outputs, pytree.tree_unflatten(last[: len(leaves)], structure)


def _own(tensor: Tensor) -> Tensor:
    """Return a contiguous copy: what a step returns must not share memory with what it is given."""
    return tensor.clone(memory_format=torch.contiguous_format)
