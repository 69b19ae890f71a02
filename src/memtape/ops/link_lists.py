"""Link lists: temporal links between slots as short lists (Rae et al. 2016, supplementary material)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.ops.near_ties import strongest_first


def add_to_lists(
    slots: Float[Tensor, "*rows listed"],
    weights: Float[Tensor, "*rows listed"],
    new_slots: Float[Tensor, "*rows new"],
    new_weights: Float[Tensor, "*rows new"],
) -> tuple[Float[Tensor, "*rows listed"], Float[Tensor, "*rows listed"]]:
    """Add weights to lists of slots, and keep the strongest entries, as many as each list had before.

    Args:
        slots: slot numbers of each list, all different except for entries of weight 0, which are unused.
        weights: the weights of these slots.
        new_slots: slot numbers to add, all different; they may already be in the list.
        new_weights: the weights to add to these slots.

    Returns:
        Slots and weights of the lists, the strongest first; weights that are equal within
        `memtape.ops.near_ties.NEAR_TIE` are sorted by slot number.
    """
    same = (new_slots[..., None, :] == slots[..., :, None]) & (weights > 0)[..., None]
    raised = weights + (same * new_weights[..., None, :]).sum(-1)
    fresh = torch.where(same.any(-2), -1.0, new_weights)
    candidates, all_slots = torch.cat([raised, fresh], dim=-1), torch.cat([slots, new_slots], dim=-1)
    order = strongest_first(candidates, all_slots)[..., : slots.shape[-1]]
    return all_slots.gather(-1, order), candidates.gather(-1, order)


def linked(
    slots: Float[Tensor, "batch slots listed"],
    weights: Float[Tensor, "batch slots listed"],
    read_slots: Int[Tensor, "batch heads read"],
    read_weights: Float[Tensor, "batch heads read"],
) -> Float[Tensor, "batch heads slots"]:
    r"""Follow the links of the slots that were read.

    $$f[i] = \sum_j w[j]\, L_j[i]$$

    with $L_j$ the list of slot $j$.

    Args:
        slots: the slot numbers of each slot's list.
        weights: the weights of each slot's list.
        read_slots: the slot numbers of the sparse read weights $w$, all different.
        read_weights: the values of $w$ at these slots.

    Returns:
        $f$ as dense weights over the slots.
    """
    batch, heads, read = read_slots.shape
    rows = read_slots.flatten(1)
    steps = read_weights.flatten(1)[:, :, None] * _rows(weights, rows)
    places, steps = (part.reshape(batch, heads, read * slots.shape[2]) for part in (_rows(slots, rows).long(), steps))
    return steps.new_zeros(batch, heads, slots.shape[1]).scatter_add(-1, places, steps)


def precedence_lists(
    slots: Float[Tensor, "batch listed"],
    weights: Float[Tensor, "batch listed"],
    written_slots: Float[Tensor, "batch written"],
    written_weights: Float[Tensor, "batch written"],
    kept: Float[Tensor, " batch"],
) -> tuple[Float[Tensor, "batch listed"], Float[Tensor, "batch listed"]]:
    r"""Update the precedence: the degree to which each slot was the last one written.

    $$p_t = (1 - \textstyle\sum_i w[i])\, p_{t-1} + w$$

    Args:
        slots: the slot numbers of $p_{t-1}$.
        weights: the values of $p_{t-1}$ at these slots.
        written_slots: the slot numbers of the write weights $w$, all different.
        written_weights: the values of $w$ at these slots, which sum to at most 1.
        kept: $1 - \sum_i w[i]$, exactly 0 where the write weights sum to 1.

    Returns:
        The slot numbers and values of $p_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, supplementary material, and the DNC's equation for the precedence.
    """
    return add_to_lists(slots, kept[:, None] * weights, written_slots, written_weights)


def predecessor_lists(
    slots: Float[Tensor, "batch slots listed"],
    weights: Float[Tensor, "batch slots listed"],
    written_slots: Float[Tensor, "batch written"],
    written_weights: Float[Tensor, "batch written"],
    *,
    precedence_slots: Float[Tensor, "batch links"],
    precedence_weights: Float[Tensor, "batch links"],
) -> tuple[Float[Tensor, "batch slots listed"], Float[Tensor, "batch slots listed"]]:
    r"""Update the predecessor lists: link the slots written now to those written before them.

    $$N_t[i, j] = (1 - w[i])\, N_{t-1}[i, j] + w[i]\, p_{t-1}[j], \quad j \ne i$$

    Args:
        slots: the slot numbers of each row of $N_{t-1}$.
        weights: the values of $N_{t-1}$ at these slots.
        written_slots: the slot numbers of the write weights $w$, all different.
        written_weights: the values of $w$ at these slots, which sum to at most 1.
        precedence_slots: the slot numbers of $p_{t-1}$.
        precedence_weights: the values of $p_{t-1}$ at these slots.

    Returns:
        The slot numbers and values of $N_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, supplementary material.
    """
    rows, written = written_slots.long(), written_weights[:, :, None]
    new_weights = _but_itself(written_slots, precedence_slots, written * precedence_weights[:, None])
    new_slots = precedence_slots[:, None].expand_as(new_weights)
    changed = add_to_lists(_rows(slots, rows), (1 - written) * _rows(weights, rows), new_slots, new_weights)
    at = rows[:, :, None].expand_as(changed[0])
    return slots.scatter(1, at, changed[0]), weights.scatter(1, at, changed[1])


def successor_lists(
    slots: Float[Tensor, "batch slots listed"],
    weights: Float[Tensor, "batch slots listed"],
    written_slots: Float[Tensor, "batch written"],
    written_weights: Float[Tensor, "batch written"],
    *,
    precedence_slots: Float[Tensor, "batch links"],
    precedence_weights: Float[Tensor, "batch links"],
) -> tuple[Float[Tensor, "batch slots listed"], Float[Tensor, "batch slots listed"]]:
    r"""Update the successor lists: link the slots written before to those written now.

    $$P_t[i, j] = (1 - w[j])\, P_{t-1}[i, j] + w[j]\, p_{t-1}[i], \quad j \ne i$$

    Row $i$ lists the strongest *successors* of slot $i$. Except for entries that the lists drop, $P$ is the transpose of $N$.

    Args:
        slots: the slot numbers of each row of $P_{t-1}$.
        weights: the values of $P_{t-1}$ at these slots.
        written_slots: the slot numbers of the write weights $w$, all different.
        written_weights: the values of $w$ at these slots, which sum to at most 1.
        precedence_slots: the slot numbers of $p_{t-1}$.
        precedence_weights: the values of $p_{t-1}$ at these slots.

    Returns:
        The slot numbers and values of $P_t$.

    References:
        Rae et al. (2016), arXiv:1610.09027, supplementary material.
    """
    count, rows = slots.shape[1], precedence_slots.long()
    kept = (1 - weights.new_zeros(slots.shape[0], count).scatter(-1, written_slots.long(), written_weights))[:, None]
    faded = weights * kept.expand(-1, count, -1).gather(-1, slots.long())
    new_weights = precedence_weights[:, :, None] * written_weights[:, None]
    new_weights = _but_itself(precedence_slots, written_slots, new_weights)
    new_slots = written_slots[:, None].expand_as(new_weights)
    changed = add_to_lists(_rows(slots, rows), _rows(faded, rows), new_slots, new_weights)
    somebody = torch.where(precedence_weights > 0, rows, count)[:, :, None].expand_as(changed[0])
    after = [
        torch.cat([lists, lists[:, :1]], dim=1).scatter(1, somebody, part)[:, :-1]
        for lists, part in zip((slots, faded), changed, strict=True)
    ]
    return after[0], after[1]


def _rows(lists: Tensor, rows: Tensor) -> Tensor:
    return lists.gather(1, rows[:, :, None].expand(-1, -1, lists.shape[-1]))


def _but_itself(rows: Tensor, new_slots: Tensor, new_weights: Tensor) -> Tensor:
    return torch.where(new_slots[:, None] == rows[:, :, None], 0.0, new_weights)
