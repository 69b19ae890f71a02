"""Network traits: what a network reads, and what it is given in training beside that."""

from torch import nn


def input_kind(model: nn.Module | type) -> str:
    """Return the name of the kind of input of a network, or of a class of them; without an `input_kind`, "sequences"."""
    return str(getattr(model, "input_kind", "sequences"))


def sees_ahead(model: nn.Module | type) -> bool:
    """Tell whether what a network says at a step depends on inputs of later steps."""
    return bool(getattr(model, "sees_ahead", False))


def is_teacher_forced(model: nn.Module) -> bool:
    """Tell whether a network takes the targets in training, which it feeds back in place of its own answers."""
    return bool(getattr(model, "forced", False))
