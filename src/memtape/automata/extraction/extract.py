"""Extract: the finite automaton that a trained network has learned."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from memtape.automata.definitions.dfa import DFA
from memtape.automata.extraction.clusters import from_clusters
from memtape.automata.extraction.lstar import learn
from memtape.automata.extraction.oracle import Numbers, Oracle
from memtape.automata.extraction.state_search import differing_word
from memtape.core import checks
from memtape.core.recurrent import Recurrent

HELD_OUT = 200
"""Number of uniform words of each length on which the automaton is compared with the network, and of accepted ones."""


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """An automaton extracted from a network.

    Attributes:
        dfa: the minimal automaton.
        states: number of states before they were minimised.
        complete: whether the search ended with an automaton without a known counterexample. If not, the network computes no
            small automaton.
        agreement: the fraction of new words on which automaton and network agree, by length. Half of them are uniform, half
            uniform among those that the automaton accepts, if it accepts words of this length.
        counterexamples: the words that refuted earlier automata.
        queries: number of different words that the network answered.
        samples: number of uniform words without a counterexample in the last round of L*: with this number the error on such
            words is at most `epsilon` with probability 1 - `delta`; 0 for clusters.
    """

    dfa: DFA
    states: int
    complete: bool
    agreement: Mapping[int, float]
    counterexamples: tuple[tuple[str, ...], ...]
    queries: int
    samples: int


def extract(
    network: Recurrent[Any],
    alphabet: Sequence[str],
    *,
    before: str | None = None,
    after: str | None = None,
    empty: bool | None = None,
    method: Literal["lstar", "clusters"] = "lstar",
    longest: int = 30,
    most_states: int = 64,
    cells: int = 0,
    epsilon: float = 0.01,
    delta: float = 0.01,
    held_out: Sequence[int] = (10, 20, 50),
    seed: int = 0,
) -> Extraction:
    r"""Extract a minimal finite automaton from a network that accepts words.

    L* queries the network with words and builds the smallest automaton that agrees. In round $i$ it is compared with the
    network on $m_i = \lceil (\ln(1 / \delta) + i \ln 2) / \epsilon \rceil$ uniform words and as many words that the
    automaton accepts: if none differs, the error on uniform words is at most $\epsilon$ with probability $1 - \delta$. The
    method "clusters" needs no rounds: states are clusters of the hidden states after random words, transitions the most
    frequent ones.

    Args:
        network: the network. It reads symbols by their numbers; a word is accepted if the output after its last symbol is a
            positive number or, of two classes, the second one.
        alphabet: the symbols that the network reads, in the order of their numbers. A trained network reads those of the
            `vocabulary` of its task.
        before: the symbol that the network reads before each word, such as "^"; None for none. Words do not contain it.
        after: the symbol that it reads after each word; None for none.
        empty: whether the empty word is accepted; None asks the network, which has an output for it only if it reads a
            symbol before or after words.
        method: "lstar" or "clusters".
        longest: largest length of the words on which automaton and network are compared.
        most_states: number of states at which the search ends.
        cells: number of cells of hidden states that L* searches for a counterexample when random words have none; 0 for no such
            search. It finds rare words, and needs more answers.
        epsilon: bound of the error.
        delta: bound of the probability of a larger error.
        held_out: lengths of the new words of the comparison in the result.
        seed: seed of the words.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is out of its range, or the method is unknown.
        AutomatonError: the alphabet does not fit the network, the symbols around words are not in it, or the network
            cannot answer.

    Example:
        >>> from memtape.automata import compile, extract, tomita
        >>> network = compile(tomita(4), into="gru").network
        >>> extract(network, "01", empty=True).dfa == tomita(4).minimise()
        True

    References:
        Angluin (1987), "Learning regular sets from queries and counterexamples", Information and Computation 75,
        doi:10.1016/0890-5401(87)90052-6; Weiss, Goldberg & Yahav (2018), "Extracting automata from recurrent neural networks
        using queries and counterexamples", arXiv:1711.09576.
    """
    checks.one_of(("lstar", "clusters"), method=method)
    checks.at_least(1, longest=longest, most_states=most_states)
    checks.at_least(0, cells=cells)
    checks.positive(epsilon=epsilon, delta=delta)
    oracle = Oracle(network, alphabet, before=before, after=after, empty=empty)
    symbols = oracle.symbols
    draw = random.Random(seed)
    found: list[Numbers] = []
    samples = 0

    def uniform(number: int, length: int | None = None) -> list[Numbers]:
        sizes = [draw.randint(1, longest) if length is None else length for _ in range(number)]
        return [tuple(draw.randrange(len(symbols)) for _ in range(size)) for size in sizes]

    def counterexample(dfa: DFA) -> Numbers | None:
        nonlocal samples
        samples = math.ceil((math.log(1 / delta) + (len(found) + 1) * math.log(2)) / epsilon)
        words = uniform(samples) + _accepted(dfa, samples, range(1, longest + 1), draw)
        differing = oracle.differing(dfa, words)
        word = min(differing, key=lambda word: (len(word), word)) if differing else None
        if word is None and cells:
            word = differing_word(dfa, oracle, cells=cells)
        if word is not None:
            found.append(word)
        return word

    if method == "lstar":
        raw, complete = learn(oracle, counterexample, most_states=most_states)
    else:
        sample = uniform(math.ceil(math.log(1 / delta) / epsilon))
        raw, complete = from_clusters(oracle, sample, most_states=most_states, seed=seed)
    dfa = raw.minimise()
    queries = len(oracle.known) - (empty is not None)
    agreement = {}
    for length in held_out:
        words = uniform(HELD_OUT, length) + _accepted(dfa, HELD_OUT, [length], draw)
        agreement[length] = 1 - len(oracle.differing(dfa, words)) / len(words)
    return Extraction(
        dfa=dfa,
        states=len(raw.states),
        complete=complete,
        agreement=agreement,
        counterexamples=tuple(tuple(symbols[number] for number in word) for word in found),
        queries=queries,
        samples=samples,
    )


def _accepted(dfa: DFA, number: int, lengths: Sequence[int], draw: random.Random) -> list[Numbers]:
    """Return accepted words of an automaton, of those lengths that it has."""
    place = {symbol: number for number, symbol in enumerate(dfa.alphabet)}
    found = [length for length in lengths if dfa.count(length)]
    words: list[Numbers] = []
    for length in found:
        drawn = dfa.sample(length, math.ceil(number / len(found)), seed=draw.randrange(2**32))
        words += [tuple(place[symbol] for symbol in word) for word in drawn]
    return words
