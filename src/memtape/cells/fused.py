"""Fused: the kernels of torch's own recurrent networks, as twins of the cells that compute the same."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape.core import padding

KERNELS: dict[str, Callable[..., Any]] = {
    "lstm": torch.lstm,
    "gru": torch.gru,
    "rnn-tanh": torch.rnn_tanh,
    "rnn-relu": torch.rnn_relu,
}

BOUNDED = ("gru", "rnn-tanh")
"""Kernels that may run on beyond a row's end, which is faster than packing: outputs hold the whole state and cannot grow."""


def fused_here(backend: str) -> bool:
    """Tell whether torch's kernels can stand in for single steps.

    Under autocast they cannot, as the state would not stay float32.
    """
    return backend == "cpu" and not torch.is_autocast_enabled("cpu")


def run_fused(
    kernel: str,
    weights: Sequence[Tensor],
    xs: Tensor,
    begin: Sequence[Tensor],
    lengths: Tensor | None,
) -> tuple[Tensor, list[Tensor]]:
    """Run one layer over whole sequences.

    Args:
        kernel: "lstm", "gru", "rnn-tanh" or "rnn-relu".
        weights: those of the inputs and of the hidden vector, and the two biases, in the layout of `torch.nn`.
        xs: the inputs, shape (batch, time, input).
        begin: the vectors of the state before the first step, the hidden one first, each of shape (batch, hidden).
        lengths: how many steps of each row count.

    Returns:
        The outputs, zero beyond a row's length, and the vectors of the state after each row's last step.
    """
    options = (list(weights), True, 1, 0.0, False, False)
    if lengths is not None and kernel in BOUNDED:
        ys, _ = run_fused(kernel, weights, xs, begin, None)
        return padding.zero_beyond(ys, lengths), [padding.last_of(ys, begin[0], lengths)]
    full = lengths is None or bool((lengths == xs.shape[1]).all())
    order = back = slice(None)
    if not full:
        assert lengths is not None
        packed = pack_padded_sequence(xs, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        order, back = packed.sorted_indices, packed.unsorted_indices  # type: ignore[assignment]
    before = [part[None, order].contiguous() for part in begin]
    given = before if kernel == "lstm" else before[0]
    if full:
        ys, *after = KERNELS[kernel](xs, given, *options, True)
        return ys, [part[0] for part in after]
    assert lengths is not None
    data, *after = KERNELS[kernel](packed.data, packed.batch_sizes, given, *options)
    ys, _ = pad_packed_sequence(packed._replace(data=data), batch_first=True, total_length=xs.shape[1])
    moved = lengths > 0
    ys = torch.where(moved[:, None, None], ys, 0)
    ends = (part[0, back] for part in after)
    return ys, [torch.where(moved[:, None], end, old) for end, old in zip(ends, begin, strict=True)]
