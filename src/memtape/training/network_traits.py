"""Network traits: its kind of input, its device and dtype, what it reads, and how it is trained."""

from itertools import chain

import torch
from torch import nn


def input_kind(model: nn.Module | type) -> str:
    """Return the name of the kind of input of a network or a network class; without an `input_kind`, "sequences"."""
    return str(getattr(model, "input_kind", "sequences"))


def sees_ahead(model: nn.Module | type) -> bool:
    """Return whether the output of a network at a step depends on inputs of later steps."""
    return bool(getattr(model, "sees_ahead", False))


def is_teacher_forced(model: nn.Module) -> bool:
    """Return whether a network feeds back the targets in training, in place of its own outputs."""
    return bool(getattr(model, "forced", False))


def has_own_loss(model: nn.Module) -> bool:
    """Return whether a network that is given `targets` returns a loss of its own, which replaces that of the task."""
    return bool(getattr(model, "own_loss", False))


def has_linear_start(model: nn.Module) -> bool:
    """Return whether a network has hops that can leave their softmax out."""
    return hasattr(model, "linear")


def longest_sentence_read(model: nn.Module) -> int | None:
    """Return the number of words of the longest sentence that a network reads, None without a limit."""
    return getattr(model, "sentence_size", None)


def place_of(model: nn.Module) -> tuple[torch.device, torch.dtype | None]:
    """Return the device of a network and the dtype of its floating-point tensors.

    A network without tensors is on the CPU and has no dtype of its own; neither has one of less than 32 bits, which takes
    float32 under autocast.
    """
    tensors = list(chain(model.parameters(), model.buffers()))
    dtype = next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), None)
    wide = dtype if dtype in (torch.float32, torch.float64) else None
    return (tensors[0].device if tensors else torch.device("cpu")), wide
