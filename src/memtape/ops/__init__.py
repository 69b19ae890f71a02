"""Floor 2, pure functions of tensors: the arithmetic of the papers, with no parameters and no state."""

from memtape.ops.addressing import content_weights, interpolate, sharpen, shift
from memtape.ops.backpropagation import (
    ElmanGradients,
    ElmanParameters,
    cross_entropy_gradient,
    elman,
    elman_backward,
    elman_forward,
)
from memtape.ops.read_write import erase_and_add, read
from memtape.ops.vanishing import vanishing_penalty

__all__ = [
    "ElmanGradients",
    "ElmanParameters",
    "content_weights",
    "cross_entropy_gradient",
    "elman",
    "elman_backward",
    "elman_forward",
    "erase_and_add",
    "interpolate",
    "read",
    "sharpen",
    "shift",
    "vanishing_penalty",
]
