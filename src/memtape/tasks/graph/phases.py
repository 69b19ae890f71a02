"""Phases: description, query, planning and answer of a graph task, laid out in time."""

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
    """One phase of all rows: its input triples, and its target triples if it is an answer."""

    inputs: Int[Tensor, "batch steps 3"]
    counts: Int[Tensor, " batch"]
    """The number of steps of each row."""
    answer: Int[Tensor, "batch steps 3"] | None = None
    """The target triple at each step; None if the phase is not an answer."""


@dataclass(frozen=True)
class Layout:
    """All phases, concatenated along time."""

    inputs: Float[Tensor, "batch time input"]
    answers: Int[Tensor, "batch time 3"]
    """Target triples; blank outside answers."""
    mask: Bool[Tensor, "batch time"]
    lengths: Int[Tensor, " batch"]


def empty(counts: Int[Tensor, " batch"]) -> Phase:
    """Return a phase of blank inputs without targets."""
    return Phase(torch.full((len(counts), int(counts.max()), 3), BLANK), counts)


def answering(triples: Int[Tensor, "batch steps 3"], counts: Int[Tensor, " batch"]) -> Phase:
    """Return a phase of blank inputs whose targets are the first `counts` triples of each row and the end marker."""
    steps = int(counts.max()) + 1
    answer = functional.pad(triples[:, : steps - 1], (0, 0, 0, 1))
    answer = torch.where((torch.arange(steps) < counts[:, None])[:, :, None], answer, torch.tensor(END))
    return Phase(torch.full_like(answer, BLANK), counts + 1, answer)


def laid_out(phases: Sequence[Phase]) -> Layout:
    """Concatenate phases along time, row by row, and set the marker channels: first step of a phase, steps of an answer."""
    lengths = torch.stack([phase.counts for phase in phases]).sum(0)
    time = int(lengths.max())
    given = torch.full((len(lengths), time, 3), BLANK)
    answers, begin = given.clone(), torch.zeros_like(lengths)
    marks, mask = torch.zeros(len(lengths), time), torch.zeros(len(lengths), time, dtype=torch.bool)
    for phase in phases:
        since = steps_since(begin, time)
        inside = (since >= 0) & (since < phase.counts[:, None])
        given = torch.where(inside[:, :, None], _steps(phase.inputs, since), given)
        if phase.answer is not None:
            answers = torch.where(inside[:, :, None], _steps(phase.answer, since), answers)
            mask |= inside
        marks += inside & (since == 0)
        begin = begin + phase.counts
    inputs = torch.zeros(len(lengths), time, CHANNELS)
    inputs[:, :, :TRIPLE] = encoded(given)
    inputs[:, :, TRANSITION] = marks
    inputs[:, :, PREDICTION] = mask.float()
    return Layout(inputs=inputs, answers=answers, mask=mask, lengths=lengths)


def _steps(values: Tensor, since: Tensor) -> Tensor:
    index = since.clamp(0, values.shape[1] - 1)
    return values.gather(1, index[:, :, None].expand(-1, -1, 3))
