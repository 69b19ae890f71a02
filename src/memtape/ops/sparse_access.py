"""Sparse access: reads of a few slots and writes to the least used ones (Rae et al. 2016)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE, largest, least_first

SLOT_EPSILON = 1e-6
"""Added to a squared norm. Slots begin empty: the cosine of an empty slot is 0, and its slope, which is that of the square
root of this, stays below 1000."""


def cosines(
    memory: Float[Tensor, "batch slots width"], keys: Float[Tensor, "batch heads width"]
) -> Float[Tensor, "batch heads slots"]:
    r"""Compare each head's key with every slot.

    $$K(k, M[i]) = \frac{k \cdot M[i]}{\sqrt{|k|^2 + \epsilon}\sqrt{|M[i]|^2 + \epsilon}}$$

    Args:
        memory: $M$, the slots.
        keys: $k$, what each head looks for.

    Returns:
        The cosines; 0 for an empty slot.

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
    r"""Focus each head on the few slots that resemble its key most.

    $$w[i] = \frac{\exp(\beta K(k, M[i]))}{\sum_{j \in S} \exp(\beta K(k, M[j]))} \text{ in } S, \quad 0 \text{ elsewhere}$$

    with $S$ the `nearest` slots; of slots that are equally near, within `memtape.ops.near_ties.NEAR_TIE`, the first
    ones. No gradient goes through the choice.

    Args:
        memory: $M$, the slots.
        keys: $k$, what each head looks for.
        strengths: $\beta$, how narrow the focus is among these slots.
        nearest: number of slots that a head sees; None for all.

    Returns:
        $w$; each head's weights sum to 1.

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
    r"""Return the slots that give way, one for each head: those of the lowest usage, the least first.

    The paper prints one formula, the minimum, for two kinds of usage; of its $U^{(2)}$, the steps *since* the last access, the
    least recently accessed slot has the maximum. Both kinds of usage here are higher where a slot is in use.

    Args:
        usage: how much in use each slot is; of equal ones, within `memtape.ops.near_ties.NEAR_TIE`, the first
            give way first.
        count: how many slots.

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
    r"""Send each head to what it read last, to a slot that gives way, or between the two.

    $$w^W_t = \alpha_t \bigl(\gamma_t w^R_{t-1} + (1 - \gamma_t) \mathbb{I}^U_t\bigr)$$

    Args:
        read_weights: $w^R_{t-1}$.
        least: the slot of $\mathbb{I}^U_t$, from `least_used`.
        write_gates: $\alpha$; 0 writes nothing.
        gates: $\gamma$; 1 writes where the head has read, 0 to the slot that gives way.

    Returns:
        $w^W_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, eq. 5.
    """
    fresh = torch.zeros_like(read_weights).scatter(-1, least[:, :, None], (write_gates * (1 - gates))[:, :, None])
    return (write_gates * gates)[:, :, None] * read_weights + fresh


def clear_and_add(
    memory: Float[Tensor, "batch slots width"],
    least: Int[Tensor, "batch heads"],
    weights: Float[Tensor, "batch heads slots"],
    add: Float[Tensor, "batch heads width"],
) -> Float[Tensor, "batch slots width"]:
    r"""Clear the slots that give way, then add each head's word where it writes.

    $$M_t[i] = M_{t-1}[i] \prod_h (1 - \mathbb{I}^U_h[i]) + \sum_h w^W_h[i]\, a_h$$

    Args:
        memory: $M_{t-1}$.
        least: the slots that give way, which are cleared whatever is written.
        weights: $w^W$, from `write_weights`.
        add: $a$.

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
    r"""Note the step at which each slot was accessed last.

    A slot is accessed if the heads' weights at it, of reading and writing together, exceed $\delta$ by more than
    `memtape.ops.near_ties.NEAR_TIE`. Steps are counted up from
    the latest of any slot, in whole numbers, exactly so up to $2^{24}$ steps in float32. No gradient.

    Args:
        usage: the last step of access, rounded where it is read.
        weights: $w^W + w^R$.
        threshold: $\delta$.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.2, $U^{(2)}$ counted from the beginning in place of the end.
    """
    usage = usage.detach().round()
    now = usage.amax(-1, keepdim=True) + 1
    return torch.where(weights.detach().sum(1) > threshold + NEAR_TIE, now, usage)


def discounted_usage(
    usage: Float[Tensor, "batch slots"], weights: Float[Tensor, "batch heads slots"], discount: float
) -> Float[Tensor, "batch slots"]:
    r"""Add what the heads do at each slot to its usage, which fades.

    $$U_t[i] = \lambda U_{t-1}[i] + \sum_h \bigl(w^W_h[i] + w^R_h[i]\bigr)$$

    No gradient.

    Args:
        usage: $U_{t-1}$.
        weights: $w^W + w^R$.
        discount: $\lambda$ in 0..1.

    References:
        Rae et al. (2016), arXiv:1610.09027, section 3.2, $U^{(1)}$.
    """
    return discount * usage.detach() + weights.detach().sum(1)


def _inverse_norm(vectors: Tensor) -> Tensor:
    return torch.rsqrt((vectors * vectors).sum(-1) + SLOT_EPSILON)
