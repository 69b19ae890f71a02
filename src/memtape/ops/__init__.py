"""Floor 2, pure functions of tensors: the arithmetic of the papers, with no parameters and no state."""

from memtape.ops.addressing import content_weights, interpolate, sharpen, shift
from memtape.ops.attention import additive_scores, attention_weights, dot_scores
from memtape.ops.last_step import last_step
from memtape.ops.read_write import erase_and_add, read

__all__ = [
    "additive_scores",
    "attention_weights",
    "content_weights",
    "dot_scores",
    "erase_and_add",
    "interpolate",
    "last_step",
    "read",
    "sharpen",
    "shift",
]
