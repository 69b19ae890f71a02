"""Chart parser: a network that computes the weight of every prefix of a word under a grammar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from memtape.automata.compilers.acceptor import Acceptor, batch_of
from memtape.automata.definitions.words import Word
from memtape.memory import NondeterministicStack


@dataclass(frozen=True, kw_only=True)
class ChartParser(Acceptor):
    r"""A network compiled from a grammar.

    Its output is the share of the runs of its stack that are derivations of the symbols read so far. The weights of these
    derivations themselves can be differentiated with respect to its parameters.

    Attributes:
        network: the network.
        alphabet: the symbols.
        accepts_empty: false, since a grammar in normal form has no empty word.
        certificate: under which conditions the network is exact.

    Example:
        >>> from memtape.automata import compile, parse
        >>> parser = compile(parse("grammar\nS -> a S S\nS -> a"))
        >>> parser.weights(["aaaaaaaaa"]).tolist()
        [[1.0, 0.0, 1.0, 0.0, 2.0, 0.0, 5.0, 0.0, 14.0]]
    """

    def weights(self, words: Sequence[Word]) -> Float[Tensor, "batch time"]:
        """Return the total weight of all derivations of each prefix: a number of parses, or an inside probability.

        Args:
            words: the words; a shorter one than the longest has its own weight again at the later steps.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        return self._after_each_symbol(words, NondeterministicStack.weights)

    def log_weights(self, words: Sequence[Word]) -> Float[Tensor, "batch time"]:
        """Return the logarithms of these weights, which cannot overflow; minus infinity for a weight of 0.

        Args:
            words: the words; a shorter one than the longest has its own weight again at the later steps.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        return self._after_each_symbol(words, NondeterministicStack.log_weights)

    def _after_each_symbol(
        self, words: Sequence[Word], weights: Callable[[NondeterministicStack, Any], Tensor]
    ) -> Tensor:
        symbols, lengths = batch_of(words, self.alphabet)
        cell: Any = self.network.cell
        stack = cell.machine.memory
        *_, ended = self.network(symbols, lengths=lengths, collect=lambda state: weights(stack, state.memory)[:, -1, 0])
        return ended
