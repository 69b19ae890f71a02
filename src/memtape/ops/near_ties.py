"""Near-ties: choices between slots that do not depend on rounding.

Sums of another shape, on another processor or by another kernel, round in another order. Numbers that are equal but for that
must not be told apart, or the choice of a slot differs by machine. The slot with the lower number then comes first.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

NEAR_TIE = 1e-5
"""Largest difference of a near-tie, for usages, weights and cosines, which are around 1: a hundred times the rounding of
float32, so that float32 and float64 choose alike, and too little for a memory to depend on. csrc/near_ties.hpp has the same."""

MOST_SLOTS = 2**32


def least_first(values: Float[Tensor, "*rows slots"], *, tolerance: float = NEAR_TIE) -> Int[Tensor, "*rows slots"]:
    """Return the order of slots by a value, the least first.

    Neighbours in this order that differ by no more than the tolerance, or that part of a value above 1, are in the same run.
    The slots of a run are in the order of their numbers. NaN comes last.

    Args:
        values: one value of each slot.
        tolerance: largest difference of a near-tie.
    """
    ordered, order = values.detach().sort(dim=-1, stable=True)
    lower, upper = ordered[..., :-1], ordered[..., 1:]
    joined = upper - lower <= tolerance * upper.clamp(min=1)
    return _by_number(order, order, joined)


def strongest_first(
    weights: Float[Tensor, "*rows listed"], slots: Float[Tensor, "*rows listed"] | None = None
) -> Int[Tensor, "*rows listed"]:
    """Return the order of slots by a weight, the strongest first.

    Runs are those of `least_first`, but for weights of 0, which come last as they stand.

    Args:
        weights: one weight of each slot.
        slots: the numbers of the slots; None for 0, 1, 2 and so on.
    """
    ordered, order = weights.detach().sort(dim=-1, descending=True, stable=True)
    upper, lower = ordered[..., :-1], ordered[..., 1:]
    joined = (upper - lower <= NEAR_TIE) & (lower > 0)
    return _by_number(order, order if slots is None else slots.detach().gather(-1, order).long(), joined)


def largest(scores: Float[Tensor, "*rows slots"], count: int) -> Int[Tensor, "*rows count"]:
    """Return the slots of the largest scores.

    Slots whose score differs from the last of them by no more than `NEAR_TIE` are chosen in the order of their numbers, after
    all that are larger. NaN counts as the largest, so that it is seen.

    Args:
        scores: one score of each slot.
        count: how many slots.
    """
    scores = scores.detach()
    scores = torch.where(scores.isnan(), torch.inf, scores)
    last = scores.topk(count, dim=-1).values[..., -1:]
    rank = (scores > last + NEAR_TIE).int() + (scores >= last - NEAR_TIE).int()
    return rank.sort(dim=-1, descending=True, stable=True).indices[..., :count]


def largest_weights(weights: Float[Tensor, "*rows slots"], count: int) -> Int[Tensor, "*rows count"]:
    """Return the slots of the largest weights, as `largest` does; those of weight 0 come last.

    Args:
        weights: one weight of each slot.
        count: how many slots.
    """
    return largest(torch.where(weights <= 0, -torch.inf, weights), count)


def _by_number(order: Tensor, slots: Tensor, joined: Tensor) -> Tensor:
    """Sort the runs of an order, whose neighbours are joined, by the numbers of their slots."""
    run = functional.pad((~joined).cumsum(-1), (1, 0))
    return order.gather(-1, (run * MOST_SLOTS + slots).argsort(dim=-1, stable=True))
