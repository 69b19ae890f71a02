"""Linear start: train a network with attention in hops without the softmax of its hops at first."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def without_softmax(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Leave the softmax of the hops of a network out inside a `with` block, if wanted; validations keep it.

    Args:
        model: the network; with `wanted`, one with the attribute `linear`.
        wanted: whether to leave it out.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 4.2.
    """
    if not wanted:
        yield
        return
    model.linear = True  # type: ignore[assignment]
    try:
        yield
    finally:
        model.linear = False  # type: ignore[assignment]
