"""Recollection: update states until they no longer change, and record their energies."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from memtape.core import checks


@dataclass(frozen=True, eq=False)
class Recollection:
    """What a memory recalls.

    Attributes:
        states: the states after the last update.
        energies: the energy of the given states, and that after each update.
        settled: whether the last update left a state unchanged.
    """

    states: Float[Tensor, "... units"]
    energies: Float[Tensor, "updates ..."]
    settled: Bool[Tensor, "..."]


def recollect(
    states: Tensor,
    update: Callable[[Tensor], Tensor],
    energy: Callable[[Tensor], Tensor],
    *,
    most: int,
    tolerance: float = 0.0,
) -> Recollection:
    """Update states until none changes by more than a tolerance, or the largest number of updates is reached.

    Args:
        states: the states to start from.
        update: returns the next states.
        energy: returns the energy of each state.
        most: largest number of updates.
        tolerance: largest distance between two states that counts as no change.

    Raises:
        TypeError: the number of updates is not an integer.
        ValueError: the number of updates is below 1.
    """
    checks.at_least(1, most=most)
    energies = [energy(states)]
    for _ in range(most):
        after = update(states)
        settled = (after - states).norm(dim=-1) <= tolerance
        states = after
        energies.append(energy(states))
        if settled.all():
            break
    return Recollection(states=states, energies=torch.stack(energies), settled=settled)
