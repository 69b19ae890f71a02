"""Padding: what lies within a row's own length, and what beyond."""

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor


def alive(xs: Tensor, lengths: Int[Tensor, " batch"]) -> Bool[Tensor, "batch time"]:
    """Tell which steps of each row count."""
    return torch.arange(xs.shape[1], device=xs.device) < lengths[:, None]


def zero_beyond(
    ys: Float[Tensor, "batch time output"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch time output"]:
    """Return outputs that are zero beyond a row's length."""
    return ys if lengths is None else torch.where(alive(ys, lengths)[..., None], ys, 0)


def last_of(
    xs: Float[Tensor, "batch time input"], before: Float[Tensor, "batch input"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch input"]:
    """Return each row's last step, or what was before the first one where a row has none."""
    if lengths is None:
        return xs[:, -1]
    last = xs[torch.arange(len(xs), device=xs.device), (lengths - 1).clamp(min=0)]
    return torch.where((lengths > 0)[:, None], last, before)


def reversed_rows(
    xs: Shaped[Tensor, "batch time *rest"], lengths: Int[Tensor, " batch"] | None
) -> Shaped[Tensor, "batch time *rest"]:
    """Return every row with its steps in the opposite order, those beyond its length left where they are."""
    if lengths is None:
        return xs.flip(1)
    steps = torch.arange(xs.shape[1], device=xs.device)
    place = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return xs[torch.arange(len(xs), device=xs.device)[:, None], place]
