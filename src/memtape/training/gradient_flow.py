"""Gradient flow: how much of a loss reaches each earlier step of a recurrent network."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.core import state_tree
from memtape.core.recurrent import Recurrent


def gradient_norms(
    network: Recurrent[Any],
    xs: Tensor,
    loss: Callable[[Tensor], Tensor],
    *,
    lengths: Int[Tensor, " batch"] | None = None,
    part: str | None = None,
) -> Float[Tensor, "batch time"]:
    r"""Return how long the derivative of a loss by the state is, after each step and for each row.

    $$\| \nabla_{s_t} L \|, \qquad t = 1 \dots T$$

    The derivative counts all the ways in which what a step left behind reaches the loss: by its own output and by all later
    ones. Where the norms fall towards the first step gradients vanish, where they rise they explode. Gradients of parameters
    stay as they are.

    Args:
        network: a cell run over sequences.
        xs: the inputs, as the network takes them.
        loss: returns $L$ for the outputs, such as `lambda ys: ys[:, -1].square().mean()` or
            `lambda ys: task.loss(ys, batch)`.
        lengths: how many steps of each row count.
        part: which tensors of the state, by the beginning of their names, such as "hidden" or "layers.0"; None means all.

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
    after: list[list[Tensor]] = []

    def keep(cell: Any, given: Any, returned: tuple[Tensor, Any]) -> None:
        leaves = state_tree.named_leaves(returned[1])
        chosen = [leaf for name, leaf in leaves.items() if part is None or f"{name}.".startswith(f"{part}.")]
        if not chosen:
            raise ValueError(
                f"the part of the state is {part!r}, but it consists of {', '.join(leaves) or 'nothing'}; name one of these"
            )
        after.append(chosen)

    # So that the states of a frozen network have a gradient too.
    free = xs.detach().requires_grad_() if xs.is_floating_point() else xs
    handle = network.cell.register_forward_hook(keep)  # whoever looks at single steps gets single steps
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
    alive = torch.arange(norms.shape[1], device=xs.device) < lengths.to(xs.device)[:, None]
    return torch.where(alive, norms, torch.nan)


def _norms(gradients: list[Tensor | None], xs: Tensor) -> Tensor:
    """Return the length of the gradient of each row, in float64, as the square of a vanished one would underflow."""
    rows = [gradient.double().flatten(1) for gradient in gradients if gradient is not None]
    if not rows:
        return xs.new_zeros(len(xs), dtype=torch.float64)
    return torch.linalg.vector_norm(torch.cat(rows, dim=1), dim=1)
