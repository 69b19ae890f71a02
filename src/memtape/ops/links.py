"""Links: the order in which slots were written (Graves et al. 2016, "Temporal memory linkage")."""

import torch
from jaxtyping import Float
from torch import Tensor


def links_after(
    links: Float[Tensor, "batch writes slots slots"],
    precedence: Float[Tensor, "batch writes slots"],
    weights: Float[Tensor, "batch writes slots"],
) -> Float[Tensor, "batch writes slots slots"]:
    r"""Update the link matrix: link the slots written now to those written last, and weaken the links of overwritten slots.

    $$L_t[i, j] = (1 - w_t[i] - w_t[j])\, L_{t-1}[i, j] + w_t[i]\, p_{t-1}[j], \qquad L_t[i, i] = 0$$

    Args:
        links: $L_{t-1}$ of each write head; `links[b, h, i, j]` is the degree to which slot `i` was written right after
            slot `j`.
        precedence: $p_{t-1}$, the degree to which each slot was the last one written.
        weights: $w_t$, the write weights, which sum to at most 1.

    Returns:
        $L_t$, a new tensor; rows and columns sum to at most 1.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods, "Temporal memory linkage".
    """
    into, out_of = weights[..., :, None], weights[..., None, :]
    linked = (1 - into - out_of) * links + into * precedence[..., None, :]
    slots = weights.shape[-1]
    return linked.masked_fill(torch.eye(slots, dtype=torch.bool, device=weights.device), 0)


def precedence_after(
    precedence: Float[Tensor, "batch writes slots"], weights: Float[Tensor, "batch writes slots"]
) -> Float[Tensor, "batch writes slots"]:
    r"""Update the precedence: the degree to which each slot was the last one written.

    $$p_t = \bigl(1 - \textstyle\sum_i w_t[i]\bigr)\, p_{t-1} + w_t$$

    Args:
        precedence: $p_{t-1}$.
        weights: $w_t$, the write weights.

    Returns:
        $p_t$; it sums to at most 1, and is unchanged if nothing is written.

    References:
        Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Temporal memory linkage".
    """
    return (1 - weights.sum(dim=-1, keepdim=True)) * precedence + weights


def follow_links(
    links: Float[Tensor, "batch writes slots slots"], read_weights: Float[Tensor, "batch reads slots"]
) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
    r"""Compute the backward and forward weights: the slots written just before and just after those that each head read.

    $$b = L^\top w, \qquad f = L\, w$$

    Args:
        links: $L_t$ of each write head.
        read_weights: $w_{t-1}$, the read weights of the previous step.

    Returns:
        The backward weights $b$ and the forward weights $f$, for each read head and the links of each write head.

    References:
        Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Temporal memory linkage".
    """
    from_here = read_weights[:, None]
    return (from_here @ links).transpose(1, 2), (from_here @ links.mT).transpose(1, 2)
