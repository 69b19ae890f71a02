"""Strength stack: stacks, queues and deques of items that each have a strength (Grefenstette et al. 2015)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def strengths_after_pop(
    strengths: Float[Tensor, "*batch items"], amount: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch items"]:
    r"""Remove an amount of strength, starting with the items at one end.

    $$s'[i] = \max\Bigl(0,\; s[i] - \max\bigl(0,\; u - \textstyle\sum_{j < i} s[j]\bigr)\Bigr)$$

    Where the arguments of a maximum are equal, the derivative is that of the first.

    Args:
        strengths: $s$, the strengths, ordered from the end at which items are removed.
        amount: $u$, the strength to remove.

    Returns:
        $s'$, the strengths that are left.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516,
        section 3.
    """
    return torch.relu(strengths - torch.relu(amount[..., None] - _sums_before(strengths)))


def read_coefficients(strengths: Float[Tensor, "*batch items"]) -> Float[Tensor, "*batch items"]:
    r"""Return the coefficients with which a read sums up the items of a total strength of at most 1 at one end.

    $$c[i] = \min\Bigl(s[i],\; \max\bigl(0,\; 1 - \textstyle\sum_{j < i} s[j]\bigr)\Bigr)$$

    Where the arguments of the minimum are equal, the derivative is that of the first, $s[i]$; `torch.minimum` would halve
    it.

    Args:
        strengths: $s$, the strengths, ordered from the end at which items are read.

    Returns:
        $c$, whose sum is the smaller one of 1 and the sum of the strengths.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), arXiv:1506.02516, section 3.
    """
    rest = torch.relu(1 - _sums_before(strengths))
    return torch.where(strengths <= rest, strengths, rest)


def _sums_before(strengths: Tensor) -> Tensor:
    """Return, for each item, the sum of the strengths before it; a difference of sums would not be exact."""
    return functional.pad(strengths, (1, 0)).cumsum(-1).narrow(-1, 0, strengths.shape[-1])
