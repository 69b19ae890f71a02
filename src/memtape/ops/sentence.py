"""Sentence: the vector of a sentence as a weighted sum of the embeddings of its words."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

NIL = 0
"""The symbol of an absent word."""


def bag_of_words(
    words: Int[Tensor, "*batch words"], table: Float[Tensor, "symbols *tables embedding"]
) -> Float[Tensor, "... embedding"]:
    r"""Sum the embeddings of the words of each sentence.

    $$m = \sum_j A x_j$$

    Args:
        words: the words of each sentence as symbols; absent words, `NIL`, add nothing.
        table: $A^\top$, the embedding of each symbol, or one in each of several tables; the row of `NIL` is not used.

    Returns:
        $m$, or one for each table, shape (batch, tables, embedding).

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 4.1.
    """
    sums = functional.embedding_bag(_flat(words), table.flatten(1), mode="sum", padding_idx=NIL)
    return sums.reshape(*words.shape[:-1], *table.shape[1:])


def position_encoded(
    words: Int[Tensor, "*batch words"], table: Float[Tensor, "symbols *tables embedding"]
) -> Float[Tensor, "... embedding"]:
    r"""Sum the embeddings of the words of each sentence, weighted by the position of the word (position encoding).

    $$m = \sum_{j=1}^{J} l_j \circ A x_j, \qquad
    l_{kj} = 1 + 4 \Bigl(\frac{k}{d} - \frac{d + 1}{2d}\Bigr) \Bigl(\frac{j}{J} - \frac{J + 1}{2J}\Bigr)$$

    for a sentence of $J$ words. Up to the factor 2 and half a step, these are the weights
    $(1 - j/J) - (k/d)(1 - 2j/J)$ of the paper; in this form of the authors' code their mean is 1, as in a bag of words.

    Since $l_{kj} = 1 + s_k r_j$, a sentence is a weighted sum of rows of $A^\top$, with weights 1, and of $A^\top$ times
    $s$, with weights $r_j$.

    Args:
        words: the words of each sentence as symbols; absent words, `NIL`, follow the others and add nothing.
        table: $A^\top$, the embedding of each symbol, or one in each of several tables; the row of `NIL` is not used.

    Returns:
        $m$, or one for each table, shape (batch, tables, embedding).

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 4.1.
    """
    size, flat = table.shape[-1], _flat(words)
    there = flat != NIL
    count = there.sum(1, keepdim=True).to(table.dtype)
    position = torch.arange(1, flat.shape[1] + 1, device=words.device, dtype=table.dtype)
    offset = 4 * (position - (count + 1) / 2) / count.clamp(min=1)
    slope = (torch.arange(1, size + 1, device=words.device, dtype=table.dtype) - (size + 1) / 2) / size
    sums = functional.embedding_bag(
        torch.cat([flat, torch.where(there, flat + len(table), NIL)], dim=1),
        torch.cat([table, slope * table]).flatten(1),
        mode="sum",
        padding_idx=NIL,
        per_sample_weights=torch.cat([torch.ones_like(offset), offset], dim=1),
    )
    return sums.reshape(*words.shape[:-1], *table.shape[1:])


def masked_by_position(
    words: Int[Tensor, "*batch words"],
    table: Float[Tensor, "symbols embedding"],
    masks: Float[Tensor, "positions embedding"],
) -> Float[Tensor, "*batch embedding"]:
    r"""Sum the embeddings of the words of each sentence, weighted by a vector for each position (learned mask).

    $$s = \sum_j f_j \circ A x_j$$

    Args:
        words: the words of each sentence as symbols; absent words, `NIL`, follow the others and add nothing.
        table: $A^\top$, the embedding of each symbol; the row of `NIL` is not used.
        masks: $f$, a vector for each position; at least as many as the words.

    References:
        Henaff, Weston, Szlam, Bordes & LeCun (2017), "Tracking the world state with recurrent entity networks",
        arXiv:1612.03969, section 2.1.
    """
    there = (words != NIL)[..., None]
    embedded = torch.where(there, functional.embedding(words, table), 0)
    return (embedded * masks[: words.shape[-1]]).sum(-2)


def multilinear(
    words: Int[Tensor, "*batch words"],
    table: Float[Tensor, "symbols embedding"],
    maps: Float[Tensor, "parts embedding embedding"],
) -> Float[Tensor, "*batch embedding"]:
    r"""Sum the embeddings of the words of each sentence, mapped by a matrix for each part of the sentence (multilinear map).

    $$m = \sum_{j=1}^{J} P_{\lceil jL/J \rceil}^\top A x_j$$

    for a sentence of $J$ words and $L$ parts.

    Args:
        words: the words of each sentence as symbols; absent words, `NIL`, follow the others and add nothing.
        table: $A^\top$, the embedding of each symbol; the row of `NIL` is not used.
        maps: $P$, a matrix for each part.

    References:
        Weston et al. (2016), "Towards AI-complete question answering: a set of prerequisite toy tasks", arXiv:1502.05698.
    """
    parts = len(maps)
    count = (words != NIL).sum(-1, keepdim=True).clamp(min=1)
    scaled = torch.arange(1, words.shape[-1] + 1, device=words.device) * parts
    part = ((scaled + count - 1) // count).clamp(max=parts) - 1
    return bag_of_words(torch.where(words == NIL, NIL, words + part * len(table)), (table @ maps).flatten(0, 1))


def _flat(words: Tensor) -> Tensor:
    """Return one sentence in each row, of at least one word, since the library's sum of embeddings needs one."""
    flat = words.reshape(math.prod(words.shape[:-1]), words.shape[-1])
    return flat if words.shape[-1] else functional.pad(flat, (0, 1), value=NIL)


ENCODINGS = {"position": position_encoded, "bag": bag_of_words}
"""The ways to sum the embeddings of the words of a sentence, by name."""
