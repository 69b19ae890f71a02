"""Sweep: the order in which the units of a network are updated one after the other."""

from collections.abc import Iterable

import torch


def order_of_units(units: int, generator: torch.Generator | None) -> Iterable[int]:
    """Return all units, in a random order with a generator, else from the first to the last."""
    return range(units) if generator is None else torch.randperm(units, generator=generator).tolist()
