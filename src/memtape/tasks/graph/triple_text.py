"""Triple text: a sequence of triples as text, phase by phase."""

import itertools
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.tasks.graph.encoding import BLANK, PREDICTION, TRANSITION, TRIPLE, as_text, decoded

PER_LINE = 6
"""Number of triples per line."""


def shown_phases(
    inputs: Float[Tensor, "time input"],
    targets: Float[Tensor, "time 90"] | None,
    outputs: Float[Tensor, "time 90"] | None,
) -> list[str]:
    """Return the lines of text of a sequence: graph, query, targets and outputs.

    Args:
        inputs: the inputs of one row.
        targets: the target digits as one-hot vectors; None leaves the targets out.
        outputs: scores of the digits that the network outputs; None leaves the outputs out.
    """
    lines: list[str] = []
    begins = [*torch.nonzero(inputs[:, TRANSITION]).flatten().tolist(), len(inputs)]
    for number, (first, last) in enumerate(itertools.pairwise(begins)):
        given = decoded(inputs[first:last, :TRIPLE])
        if not inputs[first, PREDICTION]:
            blank = bool((given == BLANK).all())
            name = "wait" if blank else "graph" if number == 0 else "query"
            words = [as_text(triple) for triple in given]
            lines += [f"{name:6s} {last - first} steps"] if blank else _lines(name, words)
            continue
        if (given != BLANK).any():
            lines += _lines("path", ["", *(as_text(triple) for triple in given[1:])][1:])
        if targets is None:
            continue
        wanted = [as_text(triple) for triple in decoded(targets[first:last])]
        lines += _lines("target", wanted)
        if outputs is not None:
            predicted = [as_text(triple) for triple in decoded(outputs[first:last])]
            marked = [one if one == right else f"{one}!" for one, right in zip(predicted, wanted, strict=True)]
            lines += _lines("output", marked)
    return lines


def _lines(name: str, words: list[str]) -> Iterator[str]:
    for first in range(0, len(words), PER_LINE):
        yield f"{name:6s} " + ", ".join(words[first : first + PER_LINE])
        name = ""
