"""Showing: a sequence of triples as text, phase by phase."""

import itertools
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.tasks.graph.encoding import BLANK, PREDICTION, TRANSITION, TRIPLE, decoded, told

PER_LINE = 6
"""Triples of one line."""


def shown_phases(
    inputs: Float[Tensor, "time input"],
    targets: Float[Tensor, "time 90"] | None,
    said: Float[Tensor, "time 90"] | None,
) -> list[str]:
    """Return the lines of a sequence: what is told, what is asked, what is to be said, and what is said.

    Args:
        inputs: the inputs of one row.
        targets: the digits of what is to be said, None if they are told in another way.
        said: scores of the digits that are said, None for nobody's.
    """
    lines: list[str] = []
    begins = [*torch.nonzero(inputs[:, TRANSITION]).flatten().tolist(), len(inputs)]
    for number, (first, last) in enumerate(itertools.pairwise(begins)):
        given = decoded(inputs[first:last, :TRIPLE])
        if not inputs[first, PREDICTION]:
            blank = bool((given == BLANK).all())
            name = "wait" if blank else "told" if number == 0 else "asked"
            lines += [f"{name:6s} {last - first} steps"] if blank else _lines(name, [told(triple) for triple in given])
            continue
        if (given != BLANK).any():
            lines += _lines("went", ["", *(told(triple) for triple in given[1:])][1:])
        if targets is None:
            continue
        wanted = [told(triple) for triple in decoded(targets[first:last])]
        lines += _lines("target", wanted)
        if said is not None:
            spoken = [told(triple) for triple in decoded(said[first:last])]
            marked = [one if one == right else f"{one}!" for one, right in zip(spoken, wanted, strict=True)]
            lines += _lines("output", marked)
    return lines


def _lines(name: str, words: list[str]) -> Iterator[str]:
    for first in range(0, len(words), PER_LINE):
        yield f"{name:6s} " + ", ".join(words[first : first + PER_LINE])
        name = ""
