"""Padding: what lies within a row's own length, and what beyond."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch.nn import functional


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


def joined(parts: Sequence[Shaped[Tensor, "..."]], fill: int | float = 0) -> Shaped[Tensor, "..."]:
    """Return the rows of tensors under one another, all axes behind the batch filled at their ends to the largest size.

    Args:
        parts: tensors with as many axes each, the batch axis first.
        fill: the value of the padding.
    """
    largest = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    return torch.cat(
        [
            functional.pad(
                part,
                [end for axis in reversed(range(len(largest))) for end in (0, largest[axis] - part.shape[axis + 1])],
                value=fill,
            )
            for part in parts
        ]
    )
