"""Trees: a batch of trees, each a row of nodes that point at their children."""

from jaxtyping import Int
from torch import Tensor

from memtape.core.state import state


@state
class Trees:
    """Trees in postorder: every child stands before its parent, and the root stands last of a row's own nodes."""

    words: Int[Tensor, "batch nodes"]
    """Symbol of each node, -1 for none."""
    children: Int[Tensor, "batch nodes arity"]
    """Place of each child in the same row, -1 for none."""
