"""Sparse access: reads of a few slots and writes to the least used ones (Rae et al. 2016)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE, largest, least_first

SLOT_EPSILON = 1e-6
"""Added to a squared norm. Slots are initialised to 0: the cosine of such a slot is 0, and its gradient, bounded by the inverse
root of this number, stays below 1000."""


def cosines(
    memory: Float[Tensor, "batch slots width"], keys: Float[Tensor, "batch heads width"]
) -> Float[Tensor, "batch heads slots"]:
    r"""Compute the cosine similarity of each head's key and every slot.

    $$K(k, M[i]) = \frac{k \cdot M[i]}{\sqrt{|k|^2 + \epsilon}\sqrt{|M[i]|^2 + \epsilon}}$$

    Args:
        memory: $M$, the slots.
        keys: $k$, the key of each head.

    Returns:
        The cosines; 0 for a slot of zeros.

    References:
        Rae et al. (2016), "Scaling memory-augmented neural networks with sparse reads and writes", arXiv:1610.09027,
        section 2.1.
    """
    return (keys @ memory.mT) * _inverse_norm(keys)[:, :, None] * _inverse_norm(memory)[:, None, :]


def nearest_weights(
    memory: Float[Tensor, "batch slots width"],
    keys: Float[Tensor, "batch heads width"],
    strengths: Float[Tensor, "batch heads"],
    nearest: int | None,
) -> Float[Tensor, "batch heads slots"]:
    r"""Compute sparse content-based weights: a softmax over the few slots most similar to each head's key.

    $$w[i] = \frac{\exp(\beta K(k, M[i]))}{\sum_{j \in S} \exp(\beta K(k, M[j]))} \text{ in } S, \quad 0 \text{ elsewhere}$$

    with $S$ the `nearest` slots; scores that are equal within `memtape.ops.near_ties.NEAR_TIE` are sorted by slot number.
    No gradient passes through the choice of $S$.

    Args:
        memory: $M$, the slots.
        keys: $k$, the key of each head.
        strengths: $\beta$, the key strengths.
        nearest: number of slots with nonzero weights per head; None means all slots.

    Returns:
        $w$; the weights of each head sum to 1.

    References:
        Rae et al. (2016), arXiv:1610.09027, sections 3.1 and 2.1.
    """
    scores = cosines(memory, keys)
    if nearest is None:
        return torch.softmax(strengths[:, :, None] * scores, dim=-1)
    chosen = largest(scores, nearest)
    weights = torch.softmax(strengths[:, :, None] * scores.gather(-1, chosen), dim=-1)
    return torch.zeros_like(scores).scatter(-1, chosen, weights)


def least_used(usage: Float[Tensor, "batch slots"], count: int) -> Int[Tensor, "batch count"]:
    r"""Return the least used slots, one for each head, in ascending order of usage.

    The paper prints one formula, the minimum, for two kinds of usage. For its $U^{(2)}$, the number of steps *since* the last
    access, the least recently accessed slot has the maximum. Both kinds of usage here are higher for slots in use.

    Args:
        usage: usage of each slot; usages that are equal within
            `memtape.ops.near_ties.NEAR_TIE` are sorted by slot number.
        count: number of slots to return.

    Returns:
        Slot numbers, the least used first.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.2.
    """
    return least_first(usage)[:, :count]


def write_weights(
    read_weights: Float[Tensor, "batch heads slots"],
    least: Int[Tensor, "batch heads"],
    write_gates: Float[Tensor, "batch heads"],
    gates: Float[Tensor, "batch heads"],
) -> Float[Tensor, "batch heads slots"]:
    r"""Compute the write weights: interpolate between the slots that each head read last and its least used slot.

    $$w^W_t = \alpha_t \bigl(\gamma_t w^R_{t-1} + (1 - \gamma_t) \mathbb{I}^U_t\bigr)$$

    Args:
        read_weights: $w^R_{t-1}$, the read weights of the previous step.
        least: the slot of $\mathbb{I}^U_t$, from `least_used`.
        write_gates: $\alpha$; 0 writes nothing.
        gates: $\gamma$, the interpolation gates; 1 writes to the slots read last, 0 to the least used slot.

    Returns:
        $w^W_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, eq. 5.
    """
    fresh = torch.zeros_like(read_weights).scatter(-1, least[:, :, None], (write_gates * (1 - gates))[:, :, None])
    return (write_gates * gates)[:, :, None] * read_weights + fresh


def clear_and_add(
    memory: Float[Tensor, "batch slots width"],
    least: Int[Tensor, "batch cleared"],
    weights: Float[Tensor, "batch heads slots"],
    add: Float[Tensor, "batch heads width"],
) -> Float[Tensor, "batch slots width"]:
    r"""Write to memory: clear the least used slots, then add each head's vector at its write weights.

    $$M_t[i] = M_{t-1}[i] \prod_h (1 - \mathbb{I}^U_h[i]) + \sum_h w^W_h[i]\, a_h$$

    Args:
        memory: $M_{t-1}$, the slots before the write.
        least: the slots that are cleared, even if nothing is written to them: the least used slot of each head, or of one.
        weights: $w^W$, from `write_weights`.
        add: $a$, the add vectors.

    Returns:
        $M_t$, a new tensor.

    References:
        Rae et al. (2016), arXiv:1610.09027, eqs. 3 and 5.
    """
    kept = torch.ones_like(memory[:, :, 0]).scatter(-1, least, 0)
    return memory * kept[:, :, None] + weights.mT @ add


def last_access(
    usage: Float[Tensor, "batch slots"], weights: Float[Tensor, "batch heads slots"], threshold: float
) -> Float[Tensor, "batch slots"]:
    r"""Update the step at which each slot was last accessed.

    A slot is accessed if the sum of the heads' read and write weights at it exceeds $\delta$ by more than
    `memtape.ops.near_ties.NEAR_TIE`. The current step is the latest
    step of any slot plus 1. Steps are integers stored as floats, exact up to $2^{24}$ in float32. No gradient.

    Args:
        usage: the step of the last access of each slot, rounded to an integer.
        weights: $w^W + w^R$ of each head.
        threshold: $\delta$.

    Returns:
        The updated steps.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.2, $U^{(2)}$, but counted from the start of the sequence.
    """
    usage = usage.detach().round()
    now = usage.amax(-1, keepdim=True) + 1
    return torch.where(weights.detach().sum(1) > threshold + NEAR_TIE, now, usage)


def discounted_usage(
    usage: Float[Tensor, "batch slots"], weights: Float[Tensor, "batch heads slots"], discount: float
) -> Float[Tensor, "batch slots"]:
    r"""Update the discounted usage: decay it and add the access weights of all heads.

    $$U_t[i] = \lambda U_{t-1}[i] + \sum_h \bigl(w^W_h[i] + w^R_h[i]\bigr)$$

    No gradient.

    Args:
        usage: $U_{t-1}$.
        weights: $w^W + w^R$ of each head.
        discount: $\lambda$ in 0..1.

    Returns:
        $U_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.2, $U^{(1)}$.
    """
    return discount * usage.detach() + weights.detach().sum(1)


def _inverse_norm(vectors: Tensor) -> Tensor:
    return torch.rsqrt((vectors * vectors).sum(-1) + SLOT_EPSILON)
