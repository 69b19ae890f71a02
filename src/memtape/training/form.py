"""Form: what a network reads, and what it is told in training beside that."""

from torch import nn


def form_of(model: nn.Module | type) -> str:
    """Return what the inputs of a network, or of a class of them, are: "sequences", "pairs" or "trees"."""
    return str(getattr(model, "reads", "sequences"))


def is_forced(model: nn.Module) -> bool:
    """Tell whether a network takes the targets in training, which it feeds back in place of its own answers."""
    return bool(getattr(model, "forced", False))
