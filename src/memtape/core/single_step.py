"""Single step: one step of a cell with the checks of a whole sequence, at little more than the cost of the step."""

from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import checks, growth, state_tree
from memtape.core.backends import backend_for
from memtape.core.cell import Cell, fused_step_run
from memtape.core.run_fused import compiled, has_hooks
from memtape.core.symbols import are_symbols, vectors_of
from memtape.core.transforms import transforming

S = TypeVar("S")


def single_step(
    cell: Cell[S], x: Float[Tensor, "batch input"] | Int[Tensor, " batch"], state: S | None
) -> tuple[Float[Tensor, "batch output"], S]:
    r"""Take one step of a cell.

    $$(y_t, s_t) = f(x_t, s_{t-1})$$

    Nothing is remembered from one call to the next.

    Args:
        cell: the step $f$.
        x: the input; integers of shape (batch,) are symbols, which represent one-hot vectors.
        state: $s_{t-1}$; None for `cell.init_state`.

    Returns:
        The output and the state after the step.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument has the wrong shape, dtype, device or value.
    """
    if isinstance(x, Tensor) and x.ndim == 1 and are_symbols(x[:, None]):
        cell, vectors = vectors_of(cell, x[:, None])
        x = vectors[:, 0]
    checks.vectors(cell, x)
    checks.finite(x[:, None])
    backend = backend_for(x.device.type)
    kernel = fused_step_run(cell, backend)
    if kernel is not None and (has_hooks(cell) or transforming()):
        kernel = None
    given = state is not None
    if state is None:
        state = _initial(cell, x)
    state = growth.with_room(state, 1)
    leaves = state_tree.leaves(state)
    if given and (kernel is not None or not _usual(leaves, x)):
        _check(cell, x, state)
    try:
        if kernel is not None:
            ys, after = kernel(x[:, None], state, None)
            y = ys[:, 0]
        else:
            y, after = (compiled(cell) if backend == "compile" else cell)(x, state)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        _check(cell, x, state)
        raise
    after = growth.cut(after, state)
    if torch.is_autocast_enabled(x.device.type):
        after = state_tree.like(after, state)
    if [leaf.shape for leaf in state_tree.leaves(after)] != [leaf.shape for leaf in leaves]:
        # a wrong state that broadcasts leaves the step with other shapes
        _check(cell, x, state)
    return y, after


def _initial(cell: Cell[S], x: Tensor) -> S:
    return cell.init_state(x.shape[0], device=x.device, dtype=x.dtype)


def _check(cell: Cell[S], x: Tensor, state: S) -> None:
    checks.state_for(cell, state, growth.as_large(_initial(cell, x), state), x.shape[0])


def _usual(leaves: list[Tensor], x: Tensor) -> bool:
    """Return whether all tensors of a state have the batch axis first, and the dtype and the device of the input."""
    batch, dtype, device = x.shape[0], x.dtype, x.device
    return all(
        isinstance(leaf, Tensor)
        and leaf.ndim > 0
        and leaf.shape[0] == batch
        and leaf.device == device
        and (leaf.dtype == dtype or not leaf.is_floating_point())
        for leaf in leaves
    )
