"""Read and write: access to the slots that a head addresses (Graves et al. 2014, sections 3.1 and 3.2)."""

from jaxtyping import Float
from torch import Tensor


def read(
    memory: Float[Tensor, "batch slots width"], weights: Float[Tensor, "batch heads slots"]
) -> Float[Tensor, "batch heads width"]:
    r"""Read from memory: return the weighted sum of the slots for each head.

    $$r = \sum_i w[i]\, M[i]$$

    Args:
        memory: $M$, the slots.
        weights: $w$, the read weights of each head.

    Returns:
        $r$, one read vector for each head.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 2.
    """
    return weights @ memory


def erase_and_add(
    memory: Float[Tensor, "batch slots width"],
    weights: Float[Tensor, "batch heads slots"],
    erase: Float[Tensor, "batch heads width"],
    add: Float[Tensor, "batch heads width"],
) -> Float[Tensor, "batch slots width"]:
    r"""Write to memory: erase at the addressed slots, then add new content.

    $$M_t[i] = M_{t-1}[i] \odot \prod_h \bigl(1 - w_h[i]\, e_h\bigr) + \sum_h w_h[i]\, a_h$$

    Every head erases before any head adds, so the order of the heads does not matter.

    Args:
        memory: $M_{t-1}$, the slots before the write.
        weights: $w_h$, the write weights of head $h$.
        erase: $e_h$ in $[0, 1]$, the erase vectors; 1 clears a column of a fully addressed slot.
        add: $a_h$, the add vectors.

    Returns:
        $M_t$, a new tensor.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eqs. 3-4.
    """
    kept = memory
    for head_weights, head_erase in zip(weights.unbind(1), erase.unbind(1), strict=True):
        kept = kept * (1 - head_weights[:, :, None] * head_erase[:, None, :])
    return kept + weights.mT @ add
