"""Oracle: a network that answers whether it accepts words."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from memtape.automata.definitions.dfa import DFA
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.words import alphabet_of
from memtape.core import state_tree
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.recurrent import Recurrent

Numbers = tuple[int, ...]
"""A word as the numbers of its symbols."""

MOST_STEPS = 200_000
"""Most steps of one batch, which bounds its memory."""


def positive(outputs: Float[Tensor, "*shape output"]) -> Bool[Tensor, "*shape"]:
    """Return whether an output is a positive number or, of two classes, the second one is more likely."""
    return (outputs[..., 0] if outputs.shape[-1] == 1 else outputs[..., 1] - outputs[..., 0]) > 0


def fitting_alphabet(network: Recurrent[Any], alphabet: Sequence[str]) -> tuple[str, ...]:
    """Return an alphabet with a symbol for each input of a network.

    Raises:
        AutomatonError: a symbol is no symbol or repeated, or their number is not that of the inputs.
    """
    named = alphabet_of("alphabet", alphabet)
    if network.input_size != len(named):
        raise AutomatonError(
            f"the alphabet has {len(named)} symbols, but the network reads {network.input_size}; give a symbol for each input"
        )
    return named


class Oracle:
    """Answer whether a network accepts words, with a record of the words that were answered before.

    The answer is the output after the last symbol: it accepts if it is a positive number or, of two classes, the second one.

    Attributes:
        network: the network.
        symbols: the symbols of words.
        known: the recorded answers.

    Args:
        network: the network, which reads symbols by their numbers.
        alphabet: the symbols, in the order of their numbers.
        before: the symbol before each word; None for none.
        after: the symbol after each word; None for none.
        empty: whether the empty word is accepted; None asks the network.

    Raises:
        AutomatonError: the alphabet does not fit the network, the symbols around words are not in it, or the network
            cannot answer.
    """

    def __init__(
        self,
        network: Recurrent[Any],
        alphabet: Sequence[str],
        *,
        before: str | None = None,
        after: str | None = None,
        empty: bool | None = None,
    ):
        named = fitting_alphabet(network, alphabet)
        if network.output_size > 2:
            raise AutomatonError(
                f"the network has {network.output_size} outputs, but one that accepts words has a number or two classes; give "
                "another network"
            )
        for name, symbol in (("before", before), ("after", after)):
            if symbol is not None and symbol not in named:
                raise AutomatonError(
                    f"{name} is {symbol!r}, but the alphabet is {' '.join(named)}; give one of its symbols, or None for none"
                )
        self.symbols = tuple(symbol for symbol in named if symbol not in (before, after))
        if not self.symbols:
            raise AutomatonError(
                "all symbols are before or after words, but words need a symbol; give a larger alphabet"
            )
        if empty is None and before is None and after is None:
            raise AutomatonError(
                "empty is None, but the network has no output for the empty word; state whether it is accepted, or give the "
                "symbol before words"
            )
        self.network = network
        self.known: dict[Numbers, bool] = {} if empty is None else {(): empty}
        self._numbers = [named.index(symbol) for symbol in self.symbols]
        self._before = [] if before is None else [named.index(before)]
        self._after = [] if after is None else [named.index(after)]

    def accepts(self, words: Sequence[Numbers]) -> list[bool]:
        """Return whether the network accepts each word."""
        new = sorted({word for word in words if word not in self.known}, key=len)
        while new:
            count = max(1, MOST_STEPS // max(1, len(new[-1])))
            part, new = new[-count:], new[:-count]
            xs, lengths = self._batch(part, self._after)
            with torch.no_grad(), evaluation_mode(self.network):
                outputs, _ = self.network(xs, lengths=lengths)
            answers = positive(outputs[torch.arange(len(part)), lengths - 1])
            self.known.update(zip(part, answers.tolist(), strict=True))
        return [self.known[word] for word in words]

    def states(self, words: Sequence[Numbers]) -> tuple[Float[Tensor, " size"], Float[Tensor, "batch time size"]]:
        """Return the state before words as a vector, and the states after each symbol of the words, which are not empty."""
        xs, lengths = self._batch(words)
        with torch.no_grad(), evaluation_mode(self.network):
            _, _, trace = self.network(xs, lengths=lengths, collect=lambda state: state)
            initial = self.network.init_state(1)
        vectors = torch.cat([leaf.flatten(2) for leaf in state_tree.leaves(trace)], dim=2)
        if self._before:
            return vectors[0, 0], vectors[:, 1:]
        return torch.cat([leaf.flatten() for leaf in state_tree.leaves(initial)]), vectors

    def last_states(self, words: Sequence[Numbers]) -> Float[Tensor, "batch size"]:
        """Return the states after words as vectors."""
        xs, lengths = self._batch(words)
        with torch.no_grad(), evaluation_mode(self.network):
            _, state = self.network(xs, lengths=lengths)
        return torch.cat([leaf.reshape(len(words), -1) for leaf in state_tree.leaves(state)], dim=1)

    def differing(self, dfa: DFA, words: Sequence[Numbers]) -> list[Numbers]:
        """Return the words on which an automaton and the network differ."""
        found = []
        for word, answer in zip(words, self.accepts(words), strict=True):
            state = 0
            for symbol in word:
                state = dfa.table[state][symbol]
            if dfa.accepts_at[state] != answer:
                found.append(word)
        return found

    def _batch(self, words: Sequence[Numbers], after: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
        """Return the symbols that the network reads for each word, and their number."""
        rows = [[*self._before, *(self._numbers[symbol] for symbol in word), *after] for word in words]
        lengths = torch.tensor([len(row) for row in rows])
        xs = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        inside = torch.arange(xs.shape[1]) < lengths[:, None]
        xs[inside] = torch.tensor(list(chain.from_iterable(rows)))
        return xs, lengths
