"""Superposition list: a list around a head that is the mean of the lists after each action, weighted by probabilities."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.ops.superposition_stack import superpose


def superpose_list(
    before: Float[Tensor, "*batch depth width"],
    after: Float[Tensor, "*batch depth width"],
    actions: Float[Tensor, "*batch actions"],
    inserted: Float[Tensor, "*batch width"],
) -> tuple[Float[Tensor, "*batch depth+1 width"], Float[Tensor, "*batch depth+1 width"]]:
    r"""Move the head to the left or right, insert at it, or do nothing, each with its probability; return the mean.

    $$L_t[i] = a^{\text{right}} L_{t-1}[i+1] + a^{\text{left}} L_{t-1}[i-1] + a^{\text{none}} L_{t-1}[i] +
    a^{\text{insert}} \begin{cases} v & i = \text{head} \\ L_{t-1}[i+1] & i < \text{head} \\ L_{t-1}[i] & i > \text{head}
    \end{cases}$$

    The head has a fixed place, and the list moves. It consists of two stacks, one on each side of the head. Beyond their
    last cells the list is empty, which is zero.

    Args:
        before: the cells before the head, the nearest first.
        after: the cell at the head, and the cells after it.
        actions: $a$, the probabilities of left, right, insert and, if there are four, of no action.
        inserted: $v$, the value that is inserted.

    Returns:
        The cells before the head, and those from the head on, with one cell more each.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007,
        section 3.3; the code of the authors has no list, so that this is not compared with theirs.
    """
    left, right, insert, *none = actions.unbind(-1)
    rest = none[0] if none else torch.zeros_like(left)

    def first(cells: Tensor) -> Tensor:
        return functional.pad(cells, (0, 0, 0, 1)).select(-2, 0)

    at_head = first(after)
    new_before = superpose(before, torch.stack([right + insert, left, rest], dim=-1), at_head)
    moved = superpose(after, torch.stack([left, right, rest + insert], dim=-1), first(before))
    head = moved.narrow(-2, 0, 1) + (insert[..., None] * (inserted - at_head))[..., None, :]
    return new_before, torch.cat([head, moved.narrow(-2, 1, moved.shape[-2] - 1)], dim=-2)
