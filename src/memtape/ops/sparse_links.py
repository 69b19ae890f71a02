"""Sparse links: the strongest links of every slot (Graves et al. 2016, "Sparse link matrix")."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.ops.near_ties import NEAR_TIE, strongest_first


def strongest(
    weights: Float[Tensor, "batch writes slots"], size: int
) -> tuple[Float[Tensor, "batch writes size"], Int[Tensor, "batch writes size"]]:
    r"""Return the $K$ largest weights and their slots, rescaled to the sum of all weights.

    The paper rescales them to a sum of 1, so that links would be overwritten even with a closed write gate; with open gates
    the two are the same. Weights that are equal within `memtape.ops.near_ties.NEAR_TIE` are sorted by slot number.

    Args:
        weights: write weights or precedence of each write head.
        size: $K$, at most the number of slots.

    Returns:
        The weights, the largest first, and their slot numbers.
    """
    slots = strongest_first(weights)[..., :size]
    kept = weights.gather(-1, slots)
    total = kept.sum(dim=-1, keepdim=True)
    scale = weights.sum(dim=-1, keepdim=True) / torch.where(total > 0, total, 1)
    return kept * scale, slots


def sparse_links_after(
    values: Float[Tensor, "batch writes slots size"],
    places: Float[Tensor, "batch writes slots size"],
    precedence: Float[Tensor, "batch writes slots"],
    weights: Float[Tensor, "batch writes slots"],
    *,
    threshold: float,
) -> tuple[Float[Tensor, "batch writes slots size"], Float[Tensor, "batch writes slots size"]]:
    r"""Update the sparse links as `links_after` does, with the $K$ largest write weights and the $K$ largest precedences.

    Links weaker than the threshold $1/K$ are removed. Since the links of a slot sum to at most 1, at most $K$ remain.

    Args:
        values: the strengths of the links of each slot; 0 for unused entries.
        places: the slot number to which each link leads back, which was written just before; for unused entries the number of
            the slot itself.
        precedence: $p_{t-1}$, the degree to which each slot was the last one written.
        weights: $w_t$, the write weights.
        threshold: links below it by more than `memtape.ops.near_ties.NEAR_TIE` are removed.

    Returns:
        The updated values and places.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods, "Sparse link matrix".
    """
    size = values.shape[-1]
    amounts, rows = strongest(weights, size)
    last, columns = strongest(precedence, size)
    sparse = torch.zeros_like(weights).scatter(-1, rows, amounts)
    sources = places.round().long()
    values = values * (1 - sparse[..., None] - sparse.gather(-1, sources.flatten(2)).view_as(values))
    written = rows[..., None].expand(-1, -1, -1, size)
    held, held_sources = values.gather(2, written), sources.gather(2, written)
    fresh = amounts[..., :, None] * last[..., None, :] * (rows[..., :, None] != columns[..., None, :])
    same = held_sources[..., :, None] == columns[..., None, None, :]
    joined = held + (same * fresh[..., None, :]).sum(dim=-1)
    candidates = torch.cat([joined, fresh * ~same.any(dim=-2)], dim=-1)
    candidate_sources = torch.cat([held_sources, columns[..., None, :].expand_as(fresh)], dim=-1)
    order = torch.sort(candidates.detach(), dim=-1, descending=True, stable=True).indices[..., :size]
    values = values.scatter(2, written, candidates.gather(-1, order))
    sources = sources.scatter(2, written, candidate_sources.gather(-1, order))
    kept, itself = values >= threshold - NEAR_TIE, torch.arange(weights.shape[-1], device=weights.device)[:, None]
    return torch.where(kept, values, 0), torch.where(kept, sources, itself).to(places.dtype)


def follow_sparse_links(
    values: Float[Tensor, "batch writes slots size"],
    places: Float[Tensor, "batch writes slots size"],
    read_weights: Float[Tensor, "batch reads slots"],
) -> tuple[Float[Tensor, "batch reads writes slots"], Float[Tensor, "batch reads writes slots"]]:
    r"""Compute the backward and forward weights as `follow_links` does, along sparse links.

    Args:
        values: the strengths of the links of each slot.
        places: the slot number to which each link leads back.
        read_weights: $w_{t-1}$, the read weights of the previous step.

    Returns:
        The backward weights $b$ and the forward weights $f$, for each read head and the links of each write head.

    References:
        Graves et al. (2016), Nature 538, doi:10.1038/nature20101, Methods, "Sparse link matrix".
    """
    reads, (writes, slots, size) = read_weights.shape[1], values.shape[1:]
    here = read_weights[:, :, None].expand(-1, -1, writes, -1)
    sources = places.round().long().flatten(2)[:, None].expand(-1, reads, -1, -1)
    back = (values[:, None] * here[..., None]).flatten(3)
    backward = torch.zeros_like(here).scatter_add(-1, sources, back)
    forward = (values[:, None] * here.gather(-1, sources).unflatten(-1, (slots, size))).sum(dim=-1)
    return backward, forward
