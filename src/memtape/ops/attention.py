"""Attention: where queries look among the vectors of a sequence (Bahdanau et al. 2015, Luong et al. 2015)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def additive_scores(
    queries: Float[Tensor, "batch queries width"],
    keys: Float[Tensor, "batch slots width"],
    direction: Float[Tensor, " width"],
) -> Float[Tensor, "batch queries slots"]:
    r"""Compare queries and keys by one layer of tanh units.

    $$e_{ij} = v^\top \tanh(q_i + k_j), \qquad q_i = W s_i, \quad k_j = U h_j$$

    Args:
        queries: $q$, already projected.
        keys: $k$, already projected, which a memory does once for all queries.
        direction: $v$.

    Returns:
        $e$; for T queries and S slots it takes a tensor of T * S * width numbers.

    References:
        Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly learning to align and translate",
        arXiv:1409.0473, appendix A.1.2.
    """
    return torch.tanh(queries[:, :, None, :] + keys[:, None, :, :]) @ direction


def dot_scores(
    queries: Float[Tensor, "batch queries width"], keys: Float[Tensor, "batch slots width"]
) -> Float[Tensor, "batch queries slots"]:
    r"""Compare queries and keys by their product.

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
    r"""Turn scores into weights over the slots that are present.

    $$\alpha_{ij} = \frac{\exp(e_{ij})}{\sum_{j' \text{ present}} \exp(e_{ij'})}$$

    Args:
        scores: $e$; what it holds at absent slots, NaN included, reaches neither weights nor gradients.
        present: which slots there are.

    Returns:
        $\alpha$: each row sums to 1 and is exactly 0 at absent slots; all 0 where no slot is present.

    Example:
        >>> import torch
        >>> attention_weights(torch.zeros(1, 1, 3), torch.tensor([[True, True, False]]))
        tensor([[[0.5000, 0.5000, 0.0000]]])

    References:
        Bahdanau, Cho & Bengio (2015), "Neural machine translation by jointly learning to align and translate",
        arXiv:1409.0473, eq. 6.
    """
    there = present[:, None, :]
    # The least finite number and not minus infinity, which would make NaN of a row without slots.
    weights = torch.softmax(torch.where(there, scores, torch.finfo(scores.dtype).min), dim=-1)
    return torch.where(there, weights, 0)
