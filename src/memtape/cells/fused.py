"""Fused: the kernels that stand in for the steps of one recurrent layer, memtape's own and torch's LSTM."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape.ops.recurrence import TWINS, Recurrence


def fused_here(backend: str) -> bool:
    """Tell whether whole sequences can stand in for single steps.

    Under autocast they cannot, as the state would not stay float32.
    """
    return backend == "cpu" and not torch.is_autocast_enabled("cpu")


def recurrence_here(backend: str) -> Recurrence | None:
    """Return memtape's kernel of recurrent layers where it can stand in for single steps."""
    return TWINS.get(backend) if fused_here(backend) else None


def run_lstm(
    weights: Sequence[Tensor], xs: Tensor, begin: Sequence[Tensor], lengths: Tensor | None
) -> tuple[Tensor, list[Tensor]]:
    """Run one layer of torch's LSTM, which is faster than memtape's, over whole sequences.

    Args:
        weights: those of the inputs and of the hidden vector, and the two biases, in the layout of `torch.nn`.
        xs: the inputs, shape (batch, time, input).
        begin: the hidden vector and the cell before the first step, each of shape (batch, hidden).
        lengths: how many steps of each row count.

    Returns:
        The outputs, zero beyond a row's length, and the hidden vector and the cell after each row's last step.
    """
    options = (list(weights), True, 1, 0.0, False, False)
    if lengths is None or bool((lengths == xs.shape[1]).all()):
        ys, *after = torch.lstm(xs, [part[None].contiguous() for part in begin], *options, True)
        return ys, [part[0] for part in after]
    packed = pack_padded_sequence(xs, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    order, back = packed.sorted_indices, packed.unsorted_indices
    before = [part[None, order].contiguous() for part in begin]
    data, *after = torch.lstm(packed.data, packed.batch_sizes, before, *options)
    ys, _ = pad_packed_sequence(packed._replace(data=data), batch_first=True, total_length=xs.shape[1])
    moved = lengths > 0
    ys = torch.where(moved[:, None, None], ys, 0)
    ends = (part[0, back] for part in after)
    return ys, [torch.where(moved[:, None], end, old) for end, old in zip(ends, begin, strict=True)]
