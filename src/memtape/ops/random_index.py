"""Random index: pseudo-random integers that are a function of a counter."""

from jaxtyping import Int
from torch import Tensor

MASK = 2**32 - 1
WEYL = 0x9E3779B9
ROUNDS = ((16, 0x21F0AAAD), (15, 0x735A2D97))
LAST_SHIFT = 15


def random_index(counter: Int[Tensor, "*batch"], size: int) -> Int[Tensor, "*batch"]:
    r"""Return an index below a size for each counter, uniform over counters.

    $$i = \lfloor \text{size} \cdot h(c) / 2^{32} \rfloor$$

    Here $h$ is a hash of 32 bits, two rounds of a shift and a product. The index depends on the counter alone: not on the
    order of calls, on the device or on a generator, so the steps of a sequence can be drawn in parallel.

    Args:
        counter: $c$, integers of at least 0; only their last 32 bits count.
        size: number of indices, from 1 to $2^{31}$.
    """
    bits = (counter + WEYL) & MASK
    for shift, factor in ROUNDS:
        bits = ((bits ^ (bits >> shift)) * factor) & MASK
    return ((bits ^ (bits >> LAST_SHIFT)) * size) >> 32
