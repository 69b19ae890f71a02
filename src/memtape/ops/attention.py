"""Attention: scores and weights of queries over the vectors of a sequence (Bahdanau et al. 2015, Luong et al. 2015)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def additive_scores(
    queries: Float[Tensor, "batch queries width"],
    keys: Float[Tensor, "batch slots width"],
    direction: Float[Tensor, " width"],
) -> Float[Tensor, "batch queries slots"]:
    r"""Score each pair of a query and a key with one layer of tanh units (additive attention).

    $$e_{ij} = v^\top \tanh(q_i + k_j), \qquad q_i = W s_i, \quad k_j = U h_j$$

    Args:
        queries: $q$, already projected by $W$.
        keys: $k$, already projected by $U$, which a memory does once for all queries.
        direction: $v$.

    Returns:
        $e$; for T queries and S slots the computation needs a tensor of T * S * width numbers per row.

    References:
        Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly learning to align and translate",
        arXiv:1409.0473, appendix A.1.2.
    """
    return torch.tanh(queries[:, :, None, :] + keys[:, None, :, :]) @ direction


def dot_scores(
    queries: Float[Tensor, "batch queries width"], keys: Float[Tensor, "batch slots width"]
) -> Float[Tensor, "batch queries slots"]:
    r"""Score each pair of a query and a key with their dot product.

    $$e_{ij} = s_i^\top k_j$$

    Args:
        queries: $s$.
        keys: $k$; the vectors $h_j$ themselves, or $W h_j$ for the "general" score $s_i^\top W h_j$.

    Returns:
        $e$.

    References:
        Luong, Pham & Manning (2015), "Effective approaches to attention-based neural machine translation",
        arXiv:1508.04025, eq. 8.
    """
    return queries @ keys.mT


def attention_weights(
    scores: Float[Tensor, "batch queries slots"], present: Bool[Tensor, "batch slots"]
) -> Float[Tensor, "batch queries slots"]:
    r"""Normalise scores to weights over the slots that are present (masked softmax).

    $$\alpha_{ij} = \frac{\exp(e_{ij})}{\sum_{j' \text{ present}} \exp(e_{ij'})}$$

    Args:
        scores: $e$; values at absent slots, including NaN, affect neither weights nor gradients.
        present: True at the slots that are present; False at padding.

    Returns:
        $\alpha$; each row sums to 1 and is exactly 0 at absent slots. It is all 0 where no slot is present.

    Example:
        >>> import torch
        >>> attention_weights(torch.zeros(1, 1, 3), torch.tensor([[True, True, False]]))
        tensor([[[0.5000, 0.5000, 0.0000]]])

    References:
        Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly learning to align and translate",
        arXiv:1409.0473, eq. 6.
    """
    there = present[:, None, :]
    # Mask with the least finite number, since a row of minus infinities would give NaN.
    weights = torch.softmax(torch.where(there, scores, torch.finfo(scores.dtype).min), dim=-1)
    return torch.where(there, weights, 0)


def weights_beside_empty(
    scores: Float[Tensor, "batch queries slots"], present: Bool[Tensor, "batch slots"], size: int
) -> Float[Tensor, "batch queries slots"]:
    r"""Normalise scores over all slots of a memory, of which the empty ones have the score 0.

    $$\alpha_{ij} = \frac{\exp(e_{ij})}{N - n_i + \sum_{j' \text{ present}} \exp(e_{ij'})}$$

    A query that fits no slot so finds nothing, rather than something.

    Args:
        scores: $e$; values at absent slots affect neither weights nor gradients.
        present: True at the $n_i$ slots that are present.
        size: $N$, the number of slots of the memory, at least $n_i$.

    Returns:
        $\alpha$; each row sums to at most 1 and is exactly 0 at absent slots.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895: the published code has a
        memory of fixed size, whose empty slots have zero keys and values.
    """
    empty = (size - present.sum(1)).to(scores.dtype).log()[:, None, None].expand(-1, scores.shape[1], 1)
    masked = torch.where(present[:, None, :], scores, -torch.inf)
    weights = torch.softmax(torch.cat([empty, masked], dim=-1), dim=-1)
    return weights[:, :, 1:]
