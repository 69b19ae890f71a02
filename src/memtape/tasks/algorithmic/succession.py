"""Succession: several copy tasks, one after another in one sequence."""

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core.batch import SequenceBatch
from memtape.tasks.algorithmic.bits import draw_bits, pick, put_where
from memtape.tasks.lengths import draw_lengths, steps_since


def draw_counts(
    batch_size: int,
    copies: tuple[int, int],
    vectors: tuple[int, int],
    generator: torch.Generator,
    *,
    same: bool = False,
) -> Int[Tensor, "batch copies"]:
    """Draw the number of vectors of each copy, uniformly with both ends included; 0 after the last copy of a row.

    Args:
        batch_size: number of rows.
        copies: minimum and maximum number of copies in a row.
        vectors: minimum and maximum number of vectors in a copy.
        generator: the random generator.
        same: use the same numbers for all rows.
    """
    rows = 1 if same else batch_size
    drawn = draw_lengths(rows, copies, generator)
    counts = torch.randint(vectors[0], vectors[1] + 1, (rows, copies[1]), generator=generator)
    counts = counts * (torch.arange(copies[1]) < drawn[:, None])
    return counts.expand(batch_size, -1)[:, : int(drawn.max())]


def in_succession(
    counts: Int[Tensor, "batch copies"], bits: int, generator: torch.Generator, *, end_marker: bool = False
) -> SequenceBatch:
    """Draw vectors, and lay out copy after copy: vectors, delimiter, answer, and optionally an end marker.

    Args:
        counts: number of vectors of each copy; a copy of 0 vectors takes no steps.
        bits: number of bits of one vector; the next input channel is the delimiter, the next output channel the end marker.
        generator: the random generator.
        end_marker: whether an answer ends with a marker.
    """
    batch_size, copies = counts.shape
    most = int(counts.max())
    vectors = draw_bits(batch_size, copies * most, bits, generator=generator)
    steps = torch.where(counts > 0, 2 * counts + 1 + end_marker, 0)
    ends = steps.cumsum(1)
    lengths, time = ends[:, -1], int(ends[:, -1].max())
    since_begin = steps_since(torch.zeros_like(lengths), time)
    alive = since_begin < lengths[:, None]
    which = (since_begin[:, :, None] >= ends[:, None]).sum(-1).clamp(max=copies - 1)
    place = since_begin - (ends - steps).gather(1, which)
    count = counts.gather(1, which)
    shown, answer = alive & (place < count), place - count - 1
    mask = alive & (answer >= 0)

    inputs = torch.zeros(batch_size, time, bits + 1)
    put_where(inputs, shown, pick(vectors, which * most + place), slice(0, bits))
    inputs[:, :, bits] = (alive & (answer == -1)).float()
    targets = torch.zeros(batch_size, time, bits + end_marker)
    put_where(targets, mask & (answer < count), pick(vectors, which * most + answer), slice(0, bits))
    if end_marker:
        targets[:, :, bits] = (mask & (answer == count)).float()
    return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=lengths)
