"""Floor 2, pure functions of tensors: the arithmetic of the papers, with no parameters and no state."""

from memtape.ops.addressing import content_weights, interpolate, sharpen, shift
from memtape.ops.read_write import erase_and_add, read

__all__ = ["content_weights", "erase_and_add", "interpolate", "read", "sharpen", "shift"]
