"""Acceptor: a network that reads words, and whose output after the last symbol accepts or rejects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.automata.compilers.certificate import Certificate
from memtape.automata.definitions.words import Word, numbers_of
from memtape.core.recurrent import Recurrent


def batch_of(words: Sequence[Word], alphabet: Sequence[str]) -> tuple[Int[Tensor, "batch time"], Int[Tensor, " batch"]]:
    """Return words as numbers of symbols, padded with 0 to at least one step, and their lengths.

    Args:
        words: the words.
        alphabet: the symbols, in the order of their numbers.

    Raises:
        AutomatonError: a symbol is outside the alphabet.
    """
    number = {symbol: place for place, symbol in enumerate(alphabet)}
    rows = [numbers_of(word, number) for word in words]
    longest = max([1, *map(len, rows)])
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in rows], dtype=torch.long).reshape(-1, longest)
    return padded, torch.tensor([len(row) for row in rows], dtype=torch.long)


@dataclass(frozen=True, kw_only=True)
class Acceptor:
    """A network compiled from a machine that accepts words.

    Attributes:
        network: the network. It reads the symbols of `alphabet` by their numbers; its first output is a logit, positive if
            the machine accepts the symbols read so far.
        alphabet: the symbols.
        accepts_empty: whether the machine accepts the empty word, before the first output.
        certificate: under which conditions the network is exact.
    """

    network: Recurrent[Any]
    alphabet: tuple[str, ...]
    accepts_empty: bool
    certificate: Certificate

    def logits(self, words: Sequence[Word]) -> tuple[Tensor, Tensor]:
        """Return the outputs after each symbol, shape (batch, time, output), and the lengths of the words.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        symbols, lengths = batch_of(words, self.alphabet)
        with torch.no_grad():
            outputs, _ = self.network(symbols, lengths=lengths)
        return outputs, lengths

    def accepts(self, words: Sequence[Word]) -> list[bool]:
        """Return whether the network accepts each word.

        Args:
            words: the words.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        if not words:
            return []
        outputs, lengths = self.logits(words)
        last = outputs[torch.arange(len(words)), (lengths - 1).clamp(min=0), 0] > 0
        return torch.where(lengths > 0, last, self.accepts_empty).tolist()
