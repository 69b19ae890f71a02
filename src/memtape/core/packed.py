"""Packed: sequences of different lengths as a PackedSequence of torch."""

from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


def unpacked(xs: Any, lengths: Any) -> tuple[Any, Any]:
    """Return the inputs of a network padded, batch first, with their lengths; other inputs are returned unchanged.

    Raises:
        ValueError: lengths were given with a PackedSequence, which has its own.
    """
    if not isinstance(xs, PackedSequence):
        return xs, lengths
    if lengths is not None:
        raise ValueError("lengths were given with a PackedSequence, which has its own lengths; pass one of the two")
    return pad_packed_sequence(xs, batch_first=True)


def packed_as(example: Any, ys: Tensor, lengths: Any) -> Any:
    """Return outputs packed if the inputs of the network were, in the same order; otherwise unchanged.

    Args:
        example: the inputs of the network.
        ys: its outputs, shape (batch, time, output).
        lengths: the lengths that `unpacked` returned.
    """
    if not isinstance(example, PackedSequence):
        return ys
    order = example.sorted_indices
    if order is not None:
        ys, lengths = ys[order], lengths[order.to(lengths.device)]
    packed = pack_padded_sequence(ys, lengths, batch_first=True)
    return PackedSequence(packed.data, packed.batch_sizes, example.sorted_indices, example.unsorted_indices)
