"""Summary: the input of a readout at each step, from the outputs of bidirectional layers."""

from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core import padding

Summary = Literal["steps", "ends", "mean", "max"]
SUMMARIES: tuple[str, ...] = get_args(Summary)


def summarised(
    summary: Summary,
    ys: Float[Tensor, "batch time both"],
    lengths: Int[Tensor, " batch"] | None,
    starts: Bool[Tensor, "batch time"] | None,
) -> Float[Tensor, "batch time both"]:
    """Return the outputs of each step, or the same vector at all steps of a sequence, made of all its outputs.

    Args:
        summary: the outputs of each step ("steps"), the last outputs of both directions ("ends"), or the mean or the
            maximum over the steps of the sequence.
        ys: the outputs of both directions, the first half of the forward one; zero beyond a row's length.
        lengths: number of valid steps of each row.
        starts: where a new sequence starts inside a row.
    """
    if summary == "steps":
        return ys
    first, last, inside = _sequences(ys, lengths, starts)
    begins = first[..., None].expand_as(ys)
    if summary == "ends":
        forwards, backwards = ys.chunk(2, dim=-1)
        ends = last[..., None].expand_as(forwards)
        return torch.cat([forwards.gather(1, ends), backwards.gather(1, begins[..., : backwards.shape[-1]])], dim=-1)
    if summary == "mean":
        sums = torch.zeros_like(ys).scatter_add(1, begins, ys)
        return sums.gather(1, begins) / (last - first + 1)[..., None]
    valid = ys.masked_fill(~inside[..., None], -torch.inf)
    largest = torch.full_like(ys, -torch.inf).scatter_reduce(1, begins, valid, "amax").gather(1, begins)
    return torch.where(torch.isfinite(largest), largest, 0)


def _sequences(ys: Tensor, lengths: Tensor | None, starts: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the first and the last step of the sequence that each step belongs to, and which steps are valid.

    The last step of a sequence is valid; what padding belongs to has no influence, as its outputs are zero.
    """
    batch, time = ys.shape[:2]
    steps = torch.arange(time, device=ys.device).expand(batch, time)
    inside = torch.ones_like(steps, dtype=torch.bool) if lengths is None else padding.alive(ys, lengths)
    final = steps[:, -1:] if lengths is None else (lengths[:, None] - 1).clamp(min=0)
    if starts is None:
        return torch.zeros_like(steps), final.expand(batch, time), inside
    first = torch.where(starts, steps, 0).cummax(dim=1).values
    before = torch.where(starts[:, 1:], steps[:, :-1], time)  # the last steps of all sequences but the final one
    before = torch.cat([before, torch.full_like(final, time)], dim=1)
    last = before.flip(1).cummin(dim=1).values.flip(1).minimum(final)
    return first, last, inside
