"""Phases: description, query, planning and answer, laid out in time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from memtape.tasks.graph.encoding import BLANK, CHANNELS, END, PREDICTION, TRANSITION, TRIPLE, encoded
from memtape.tasks.lengths import steps_since


@dataclass(frozen=True)
class Phase:
    """One phase of all rows: what is told in it, and what is to be said."""

    told: Int[Tensor, "batch steps 3"]
    counts: Int[Tensor, " batch"]
    """How many of the steps each row has."""
    answer: Int[Tensor, "batch steps 3"] | None = None
    """What is to be said at each step, None if nothing is."""


@dataclass(frozen=True)
class Layout:
    """Phases one after another on one axis of time."""

    inputs: Float[Tensor, "batch time input"]
    answers: Int[Tensor, "batch time 3"]
    """What is to be said, blank elsewhere."""
    mask: Bool[Tensor, "batch time"]
    lengths: Int[Tensor, " batch"]


def empty(counts: Int[Tensor, " batch"]) -> Phase:
    """Return a phase in which nothing is told and nothing is said."""
    return Phase(torch.full((len(counts), int(counts.max()), 3), BLANK), counts)


def answering(triples: Int[Tensor, "batch steps 3"], counts: Int[Tensor, " batch"]) -> Phase:
    """Return a phase in which nothing is told, and so many triples of each row and the end are to be said."""
    steps = int(counts.max()) + 1
    answer = functional.pad(triples[:, : steps - 1], (0, 0, 0, 1))
    answer = torch.where((torch.arange(steps) < counts[:, None])[:, :, None], answer, torch.tensor(END))
    return Phase(torch.full_like(answer, BLANK), counts + 1, answer)


def laid_out(phases: Sequence[Phase]) -> Layout:
    """Return phases one after another, row by row: the first step of each is marked, and all steps of an answer are."""
    lengths = torch.stack([phase.counts for phase in phases]).sum(0)
    time = int(lengths.max())
    told = torch.full((len(lengths), time, 3), BLANK)
    answers, begin = told.clone(), torch.zeros_like(lengths)
    marks, mask = torch.zeros(len(lengths), time), torch.zeros(len(lengths), time, dtype=torch.bool)
    for phase in phases:
        since = steps_since(begin, time)
        inside = (since >= 0) & (since < phase.counts[:, None])
        told = torch.where(inside[:, :, None], _steps(phase.told, since), told)
        if phase.answer is not None:
            answers = torch.where(inside[:, :, None], _steps(phase.answer, since), answers)
            mask |= inside
        marks += inside & (since == 0)
        begin = begin + phase.counts
    inputs = torch.zeros(len(lengths), time, CHANNELS)
    inputs[:, :, :TRIPLE] = encoded(told)
    inputs[:, :, TRANSITION] = marks
    inputs[:, :, PREDICTION] = mask.float()
    return Layout(inputs=inputs, answers=answers, mask=mask, lengths=lengths)


def _steps(values: Tensor, since: Tensor) -> Tensor:
    index = since.clamp(0, values.shape[1] - 1)
    return values.gather(1, index[:, :, None].expand(-1, -1, 3))
