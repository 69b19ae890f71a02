"""Pairs: a batch of sequences to read, and of the answers as they are given back while they are written."""

from jaxtyping import Int
from torch import Tensor

from memtape.core.state import state


@state
class Pairs:
    """Sequences of symbols to read, each beside its answer shifted by one step."""

    source: Int[Tensor, "batch source_time"]
    source_lengths: Int[Tensor, " batch"]
    given: Int[Tensor, "batch time"]
    """What is known of the answer at each step: a start symbol, then the answer without its last symbol."""
