"""Padding: mask, reverse and join rows of different lengths."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor
from torch.nn import functional


def alive(xs: Tensor, lengths: Int[Tensor, " batch"]) -> Bool[Tensor, "batch time"]:
    """Return which steps of each row are valid."""
    return torch.arange(xs.shape[1], device=xs.device) < lengths[:, None]


def zero_beyond(
    ys: Float[Tensor, "batch time output"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch time output"]:
    """Set outputs beyond a row's length to zero."""
    return ys if lengths is None else torch.where(alive(ys, lengths)[..., None], ys, 0)


def last_of(
    xs: Float[Tensor, "batch time input"], before: Float[Tensor, "batch input"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch input"]:
    """Return the last valid step of each row, or `before` for a row of length 0."""
    if lengths is None:
        return xs[:, -1]
    last = xs[torch.arange(xs.shape[0], device=xs.device), (lengths - 1).clamp(min=0)]
    return torch.where((lengths > 0)[:, None], last, before)


def reversed_rows(
    xs: Shaped[Tensor, "batch time *rest"], lengths: Int[Tensor, " batch"] | None
) -> Shaped[Tensor, "batch time *rest"]:
    """Reverse the valid steps of every row; padding keeps its position."""
    if lengths is None:
        return xs.flip(1)
    steps = torch.arange(xs.shape[1], device=xs.device)
    place = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return xs[torch.arange(xs.shape[0], device=xs.device)[:, None], place]


def joined(parts: Sequence[Shaped[Tensor, "..."]], fill: int | float = 0) -> Shaped[Tensor, "..."]:
    """Concatenate tensors along the batch axis, with all other axes padded at their ends to the largest size.

    Args:
        parts: tensors with the same number of axes, the batch axis first.
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
