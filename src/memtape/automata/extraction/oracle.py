"""Oracle: a network that answers whether it accepts words."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import state_tree
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.recurrent import Recurrent

Numbers = tuple[int, ...]
"""A word as the numbers of its symbols."""

MOST_STEPS = 200_000
"""Most steps of one batch, which bounds its memory."""


class Oracle:
    """Answer whether a network accepts words, with a record of the words that were answered before.

    Args:
        network: the network. It reads symbols by their numbers; a word is accepted if the first output after its last symbol
            is positive.
        empty: whether the empty word is accepted, which has no output.
    """

    def __init__(self, network: Recurrent[Any], *, empty: bool):
        self.network = network
        self.known: dict[Numbers, bool] = {(): empty}

    def accepts(self, words: Sequence[Numbers]) -> list[bool]:
        """Return whether the network accepts each word."""
        new = sorted({word for word in words if word not in self.known}, key=len)
        while new:
            count = max(1, MOST_STEPS // len(new[-1]))
            part, new = new[-count:], new[:-count]
            xs, lengths = _batch(part)
            with torch.no_grad(), evaluation_mode(self.network):
                outputs, _ = self.network(xs, lengths=lengths)
            last = outputs[torch.arange(len(part)), lengths - 1, 0] > 0
            self.known.update(zip(part, last.tolist(), strict=True))
        return [self.known[word] for word in words]

    def states(self, words: Sequence[Numbers]) -> tuple[Float[Tensor, " size"], Float[Tensor, "batch time size"]]:
        """Return the initial state as a vector, and the states after each symbol of the words, which are not empty."""
        xs, lengths = _batch(words)
        with torch.no_grad(), evaluation_mode(self.network):
            _, _, trace = self.network(xs, lengths=lengths, collect=lambda state: state)
            initial = self.network.init_state(1)
        first = torch.cat([leaf.flatten() for leaf in state_tree.leaves(initial)])
        return first, torch.cat([leaf.flatten(2) for leaf in state_tree.leaves(trace)], dim=2)


def _batch(words: Sequence[Numbers]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(word) for word in words])
    xs = torch.zeros(len(words), int(lengths.max()), dtype=torch.long)
    inside = torch.arange(xs.shape[1]) < lengths[:, None]
    xs[inside] = torch.tensor(list(chain.from_iterable(words)))
    return xs, lengths
