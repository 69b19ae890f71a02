"""State search: find a word on which an automaton and a network differ by exploring the hidden states of the network."""

from dataclasses import replace
from functools import cache

from memtape.automata.definitions.dfa import DFA
from memtape.automata.extraction.oracle import Numbers, Oracle

WIDTHS = (0.5, 0.25, 0.125, 0.0625)
"""Sides of the cells into which hidden vectors are divided, one grid after the other."""


def differing_word(dfa: DFA, oracle: Oracle, *, cells: int) -> Numbers | None:
    """Return a word on which an automaton and a network differ, None if none was found.

    A grid divides the hidden vectors into cells. A search by length continues a word with each symbol only if its hidden vector
    is the first one in its cell, so it reaches states that random words hardly reach. If a cell is reached by two words that
    lead to different states of the automaton, both are continued by a shortest suffix that separates these states: the
    network can hardly follow the automaton on both.

    Args:
        dfa: the automaton.
        oracle: the network.
        cells: number of cells of one grid at which its search stops; finer grids are then left out.

    References:
        Omlin & Giles (1996), "Extraction of rules from discrete-time recurrent neural networks", Neural Networks 9,
        doi:10.1016/0893-6080(95)00086-0: the search over a grid. Weiss, Goldberg & Yahav (2018), "Extracting automata from
        recurrent neural networks using queries and counterexamples", arXiv:1711.09576, section 5: the two words of a cell;
        they split the cell instead of a finer grid.
    """
    for width in WIDTHS:
        word, explored = _searched(dfa, oracle, width, cells)
        if word is not None:
            return word
        if explored >= cells:
            return None
    return None


def _searched(dfa: DFA, oracle: Oracle, width: float, cells: int) -> tuple[Numbers | None, int]:
    """Search one grid, and return a word on which the two differ, if there is one, and the number of cells."""

    @cache
    def suffix(first: int, second: int) -> Numbers:
        starts = [replace(dfa, start=dfa.states[state]) for state in (first, second)]
        separating = starts[0].difference(starts[1])
        return () if separating is None else tuple(dfa.alphabet.index(symbol) for symbol in separating)

    def refuted(words: list[Numbers]) -> Numbers | None:
        return min(oracle.differing(dfa, words), key=lambda word: (len(word), word), default=None)

    seen: dict[bytes, tuple[Numbers, int]] = {}
    reached: dict[Numbers, int] = {(): 0}
    layer: list[Numbers] = [()]
    while layer and len(seen) < cells:
        words = [(*word, symbol) for word in layer for symbol in range(len(oracle.symbols))]
        pairs: list[Numbers] = []
        layer = []
        for word, vector in zip(words, oracle.last_states(words), strict=True):
            state = dfa.table[reached[word[:-1]]][word[-1]]
            other, others = seen.setdefault((vector / width).round().int().numpy().tobytes(), (word, state))
            if other == word:
                reached[word] = state
                layer.append(word)
            elif others != state:
                pairs += [one + suffix(state, others) for one in (word, other)]
        found = refuted(words) or refuted(pairs)
        if found is not None:
            return found, len(seen)
    return None, len(seen)
