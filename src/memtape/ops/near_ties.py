"""Near-ties: choices between slots that do not depend on rounding.

The rounding of a sum depends on its order, and so on the shape of the call, the CPU and the kernel. If values that are equal up
to rounding were compared exactly, the chosen slot would depend on the machine. Of such values, the one with the lower slot
number comes first.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

NEAR_TIE = 1e-5
"""Largest difference of a near-tie, for usages, weights and cosines, whose magnitude is about 1: a hundred times the rounding
error of float32, so that float32 and float64 make the same choice, and negligible for a memory. csrc/parts/near_ties.hpp has
the same value."""

MOST_SLOTS = 2**32


def least_first(values: Float[Tensor, "*rows slots"], *, tolerance: float = NEAR_TIE) -> Int[Tensor, "*rows slots"]:
    """Sort slots by a value in ascending order, with near-ties in the order of the slot numbers.

    Neighbours in this order belong to the same run if their difference is at most the tolerance, or the tolerance times the
    larger value if that is above 1. The slots of a run are sorted by slot number. NaN comes last.

    Args:
        values: one value for each slot.
        tolerance: largest difference of a near-tie.

    Returns:
        Slot numbers.
    """
    ordered, order = values.detach().sort(dim=-1, stable=True)
    lower, upper = ordered[..., :-1], ordered[..., 1:]
    joined = upper - lower <= tolerance * upper.clamp(min=1)
    return _by_number(order, order, joined)


def strongest_first(
    weights: Float[Tensor, "*rows listed"], slots: Float[Tensor, "*rows listed"] | None = None
) -> Int[Tensor, "*rows listed"]:
    """Sort slots by a weight in descending order, with near-ties in the order of the slot numbers.

    Runs are defined as in `least_first`, with an absolute tolerance. Weights of 0 come last, in their original order.

    Args:
        weights: one weight for each slot.
        slots: the slot numbers; None means 0, 1, 2 and so on.

    Returns:
        Indices into `weights`.
    """
    ordered, order = weights.detach().sort(dim=-1, descending=True, stable=True)
    upper, lower = ordered[..., :-1], ordered[..., 1:]
    joined = (upper - lower <= NEAR_TIE) & (lower > 0)
    return _by_number(order, order if slots is None else slots.detach().gather(-1, order).long(), joined)


def largest(scores: Float[Tensor, "*rows slots"], count: int) -> Int[Tensor, "*rows count"]:
    """Return the slots of the largest scores, with near-ties in the order of the slot numbers.

    Slots whose score differs from the last chosen one by at most `NEAR_TIE` come after all larger ones, sorted by slot number.
    NaN counts as the largest score, so that it propagates.

    Args:
        scores: one score for each slot.
        count: number of slots to return.

    Returns:
        Slot numbers.
    """
    scores = scores.detach()
    scores = torch.where(scores.isnan(), torch.inf, scores)
    last = scores.topk(count, dim=-1).values[..., -1:]
    rank = (scores > last + NEAR_TIE).int() + (scores >= last - NEAR_TIE).int()
    return rank.sort(dim=-1, descending=True, stable=True).indices[..., :count]


def largest_weights(weights: Float[Tensor, "*rows slots"], count: int) -> Int[Tensor, "*rows count"]:
    """Return the slots of the largest weights as `largest` does; slots of weight 0 come last.

    Args:
        weights: one weight for each slot.
        count: number of slots to return.

    Returns:
        Slot numbers.
    """
    return largest(torch.where(weights <= 0, -torch.inf, weights), count)


def _by_number(order: Tensor, slots: Tensor, joined: Tensor) -> Tensor:
    """Sort each run of an order by slot number; `joined` marks neighbours that belong to the same run."""
    run = functional.pad((~joined).cumsum(-1), (1, 0))
    return order.gather(-1, (run * MOST_SLOTS + slots).argsort(dim=-1, stable=True))
