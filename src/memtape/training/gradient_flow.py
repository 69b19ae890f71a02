"""Gradient flow: the norm of the gradient of a loss at each earlier step of a recurrent network."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks, padding, state_tree
from memtape.core.integers import Lengths
from memtape.core.recurrent import Recurrent


def gradient_norms(
    network: Recurrent[Any],
    xs: Tensor,
    loss: Callable[[Tensor], Tensor],
    *,
    lengths: Lengths | None = None,
    part: str | None = None,
) -> Float[Tensor, "batch time"]:
    r"""Return the norm of the gradient of a loss with respect to the state, for each step and row.

    $$\| \nabla_{s_t} L \|, \qquad t = 1 \dots T$$

    The gradient includes every path from the state to the loss: through the output of the step and through all later
    steps. Norms that shrink towards the first step show vanishing gradients, norms that grow show exploding ones. The
    gradients of parameters are unchanged.

    Args:
        network: a cell run over sequences.
        xs: the inputs of the network.
        loss: returns $L$ for the outputs, such as `lambda ys: ys[:, -1].square().mean()` or
            `lambda ys: task.loss(ys, batch)`.
        lengths: number of steps of each row.
        part: which tensors of the state, by a prefix of their names, such as "hidden" or "layers.0"; None means all.

    Returns:
        The norms; NaN beyond a row's length.

    Raises:
        ValueError: no tensor of the state has such a name.

    Example:
        >>> import torch
        >>> from memtape import Recurrent
        >>> from memtape.cells import GRUCell
        >>> gradient_norms(Recurrent(GRUCell(3, 8)), torch.ones(2, 5, 3), lambda ys: ys[:, -1].sum()).shape
        torch.Size([2, 5])
    """
    lengths = None if lengths is None else checks.lengths_of(xs, lengths)
    after: list[list[Tensor]] = []

    def keep(cell: Any, given: Any, returned: tuple[Tensor, Any]) -> None:
        leaves = state_tree.named_leaves(returned[1])
        chosen = [leaf for name, leaf in leaves.items() if part is None or f"{name}.".startswith(f"{part}.")]
        if not chosen:
            raise ValueError(
                f"the part of the state is {part!r}, but it consists of {', '.join(leaves) or 'nothing'}; name one of these"
            )
        after.append(chosen)

    # The states of a frozen network need a gradient too.
    free = xs.detach().requires_grad_() if xs.is_floating_point() else xs
    handle = network.cell.register_forward_hook(keep)  # the hook turns fused kernels off
    try:
        with torch.enable_grad():
            value = loss(network(free, lengths=lengths)[0])
    finally:
        handle.remove()
    kept = [[leaf for leaf in leaves if leaf.requires_grad] for leaves in after]
    found = iter(torch.autograd.grad(value, [leaf for leaves in kept for leaf in leaves], allow_unused=True))
    norms = torch.stack([_norms([next(found) for _ in leaves], xs) for leaves in kept], dim=1)
    if lengths is None:
        return norms
    return torch.where(padding.alive(norms, lengths), norms, torch.nan)


def _norms(gradients: list[Tensor | None], xs: Tensor) -> Tensor:
    """Return the norm of the gradient of each row, in float64, since the square of a vanished one would underflow."""
    rows = [gradient.double().flatten(1) for gradient in gradients if gradient is not None]
    if not rows:
        return xs.new_zeros(len(xs), dtype=torch.float64)
    return torch.linalg.vector_norm(torch.cat(rows, dim=1), dim=1)
