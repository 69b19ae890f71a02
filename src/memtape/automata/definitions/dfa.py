"""DFA: deterministic finite automata, which accept the regular languages."""

import importlib
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.words import Word, alphabet_of, numbers_of
from memtape.core import checks
from memtape.core.extra import importing

FIGURE = "memtape.automata.drawing.state_graph"
"""The module that draws an automaton, loaded by name at the first figure: automata need no matplotlib."""


@dataclass(frozen=True, kw_only=True)
class DFA:
    r"""A deterministic finite automaton.

    $$q_t = \delta(q_{t-1}, a_t)$$

    A word $a_1 \dots a_n$ is accepted if $q_n \in F$.

    Two automata are equal if they have the same names of states; `equivalent` compares their languages.

    Attributes:
        alphabet: the symbols.
        transitions: $\delta$, the next state by state and symbol, for every state and every symbol.
        start: $q_0$, the state before the first symbol.
        accepting: $F$, the accepting states.

    Raises:
        AutomatonError: a transition is missing, or a state or symbol is unknown.

    Example:
        >>> even = DFA(
        ...     alphabet=("0", "1"),
        ...     transitions={("e", "0"): "e", ("e", "1"): "o", ("o", "0"): "o", ("o", "1"): "e"},
        ...     start="e",
        ...     accepting={"e"},
        ... )
        >>> even.accepts("0110"), even.accepts("1")
        (True, False)

    References:
        Hopcroft, Motwani & Ullman (2007), "Introduction to automata theory, languages, and computation", chapters 2 and 4.
    """

    alphabet: Sequence[str]
    transitions: Mapping[tuple[str, str], str]
    start: str
    accepting: Collection[str]

    def __post_init__(self) -> None:
        """Check the machine."""
        object.__setattr__(self, "alphabet", alphabet_of("alphabet", self.alphabet))
        object.__setattr__(self, "accepting", frozenset(self.accepting))
        object.__setattr__(self, "transitions", dict(self.transitions))
        sources = {state for state, _ in self.transitions}
        for state, symbol in self.transitions:
            if symbol not in self.alphabet:
                raise AutomatonError(
                    f"state {state} has a transition for {symbol!r}, but the alphabet is {' '.join(self.alphabet)}; "
                    "add the symbol to the alphabet or remove the transition"
                )
        named = {"the start is": {self.start}, "a transition leads to": set(self.transitions.values())}
        for place, states in {**named, "the accepting states contain": set(self.accepting)}.items():
            for state in sorted(states - sources):
                raise AutomatonError(
                    f"{place} {state!r}, but no transition starts there; add its transitions or correct its name"
                )
        for state in self.states:
            for symbol in self.alphabet:
                if (state, symbol) not in self.transitions:
                    raise AutomatonError(
                        f"state {state} has no transition for {symbol!r}, but a DFA has one for every symbol; add it, to a "
                        "state that rejects if the word is to be rejected"
                    )

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states, the start first, the others as the transitions list them."""
        return tuple(dict.fromkeys([self.start, *(state for state, _ in self.transitions)]))

    @cached_property
    def table(self) -> tuple[tuple[int, ...], ...]:
        """The number of the next state, by the numbers of state and symbol."""
        number = {state: place for place, state in enumerate(self.states)}
        return tuple(tuple(number[self.transitions[state, a]] for a in self.alphabet) for state in self.states)

    @cached_property
    def accepts_at(self) -> tuple[bool, ...]:
        """Whether each state accepts, by its number."""
        return tuple(state in self.accepting for state in self.states)

    @classmethod
    def from_table(
        cls, table: Sequence[Sequence[int]], accepting: Collection[int], *, alphabet: Sequence[str] = ("0", "1")
    ) -> "DFA":
        """Return the automaton of a table of numbers; its states are named by their numbers, and 0 is the start.

        Args:
            table: the next state by state and symbol.
            accepting: the numbers of the accepting states.
            alphabet: the symbols, in the order of the columns.

        Raises:
            AutomatonError: a row has another number of entries than the alphabet, or a state is unknown.
        """
        for state, row in enumerate(table):
            if len(row) != len(alphabet):
                raise AutomatonError(
                    f"row {state} of the table has {len(row)} entries, but the alphabet has {len(alphabet)} symbols; "
                    "give one entry for each symbol"
                )
        transitions = {
            (str(state), symbol): str(after)
            for state, row in enumerate(table)
            for symbol, after in zip(alphabet, row, strict=True)
        }
        return cls(alphabet=alphabet, transitions=transitions, start="0", accepting={str(one) for one in accepting})

    def run(self, word: Word) -> tuple[str, ...]:
        """Return the states after each symbol of a word.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        return tuple(self.states[state] for state in self._walk(word))[1:]

    def accepts(self, word: Word) -> bool:
        """Return whether a word is accepted.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        return self.accepts_at[self._walk(word)[-1]]

    def complement(self) -> "DFA":
        """Return the automaton that accepts exactly the other words."""
        rejecting = set(self.states) - set(self.accepting)
        return DFA(alphabet=self.alphabet, transitions=self.transitions, start=self.start, accepting=rejecting)

    def minimise(self) -> "DFA":
        """Return the smallest automaton of the same language.

        Its states are numbered in the order in which a search by length and alphabet finds them, so two automata of
        the same language over the same alphabet give equal results.

        References:
            Moore (1956), "Gedanken-experiments on sequential machines", section 2: states are split until no symbol
            separates two of a class.
        """
        reached = self._reached()
        kind = {state: int(self.accepts_at[state]) for state in reached}
        classes = 0
        while len(set(kind.values())) > classes:
            classes = len(set(kind.values()))
            signatures = {state: (kind[state], *(kind[after] for after in self.table[state])) for state in reached}
            numbers = {signature: number for number, signature in enumerate(dict.fromkeys(signatures.values()))}
            kind = {state: numbers[signatures[state]] for state in reached}
        order = {one: number for number, one in enumerate(dict.fromkeys(kind[state] for state in reached))}
        rows = {order[kind[state]]: [order[kind[after]] for after in self.table[state]] for state in reached}
        accepting = {order[kind[state]] for state in reached if self.accepts_at[state]}
        return DFA.from_table([rows[number] for number in range(len(rows))], accepting, alphabet=self.alphabet)

    def difference(self, other: "DFA") -> tuple[str, ...] | None:
        """Return a shortest word that one automaton accepts and the other rejects, None if there is none.

        Raises:
            AutomatonError: the alphabets differ.
        """
        if set(self.alphabet) != set(other.alphabet):
            raise AutomatonError(
                f"the alphabets are {' '.join(self.alphabet)} and {' '.join(other.alphabet)}, but only automata over the same "
                "symbols are compared; give both the same alphabet"
            )
        words: dict[tuple[str, str], tuple[str, ...]] = {(self.start, other.start): ()}
        waiting = list(words)
        for pair in waiting:
            mine, yours = pair
            if (mine in self.accepting) != (yours in other.accepting):
                return words[pair]
            for symbol in self.alphabet:
                after = self.transitions[mine, symbol], other.transitions[yours, symbol]
                if after not in words:
                    words[after] = (*words[pair], symbol)
                    waiting.append(after)
        return None

    def equivalent(self, other: "DFA") -> bool:
        """Return whether two automata accept the same language.

        Raises:
            AutomatonError: the alphabets differ.
        """
        return self.difference(other) is None

    def count(self, length: int) -> int:
        """Return the number of accepted words of a length.

        Raises:
            ValueError: the length is below 0.
        """
        checks.at_least(0, length=length)
        return self._counts(length)[length][0]

    def sample(self, length: int, number: int, *, seed: int = 0) -> list[tuple[str, ...]]:
        """Draw accepted words of a length, each with the same probability.

        Args:
            length: the length of the words.
            number: how many words to draw.
            seed: seed of the generator.

        Raises:
            ValueError: the length is below 0.
            AutomatonError: no word of this length is accepted.
        """
        checks.at_least(0, length=length, number=number)
        counts = self._counts(length)
        if not counts[length][0]:
            raise AutomatonError(f"length is {length}, but no word of this length is accepted; give another length")
        generator = random.Random(seed)
        return [tuple(self._drawn(length, counts, generator)) for _ in range(number)]

    def words(self, length: int) -> Iterator[tuple[str, ...]]:
        """Yield the accepted words of a length, in the order of the alphabet."""
        counts = self._counts(length)

        def below(state: int, left: int, word: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
            if not left:
                yield word
                return
            for symbol, after in zip(self.alphabet, self.table[state], strict=True):
                if counts[left - 1][after]:
                    yield from below(after, left - 1, (*word, symbol))

        if counts[length][0]:
            yield from below(0, length, ())

    def figure(self, *, title: str = "") -> Any:
        """Draw the states as circles, the accepting ones as two, and the transitions as arrows; return matplotlib's figure.

        Args:
            title: a line above the graph.

        Raises:
            MissingPackageError: matplotlib or networkx is not installed.
        """
        with importing("DFA.figure"):
            drawing = importlib.import_module(FIGURE)
        return drawing.state_graph(self, title=title)

    def _walk(self, word: Word) -> list[int]:
        states = [0]
        for symbol in numbers_of(word, self._number):
            states.append(self.table[states[-1]][symbol])
        return states

    @cached_property
    def _number(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.alphabet)}

    def _reached(self) -> list[int]:
        """Return the states that a word leads to, the start first, in the order of a search by length and alphabet."""
        reached = {0: None}
        waiting = [0]
        for state in waiting:
            for after in self.table[state]:
                if after not in reached:
                    reached[after] = None
                    waiting.append(after)
        return waiting

    def _counts(self, length: int) -> list[list[int]]:
        """Return the number of accepted words of each length up to `length` that start in each state."""
        counts = [[int(accepts) for accepts in self.accepts_at]]
        for _ in range(length):
            counts.append([sum(counts[-1][after] for after in row) for row in self.table])
        return counts

    def _drawn(self, length: int, counts: list[list[int]], generator: random.Random) -> Iterator[str]:
        state = 0
        for left in range(length, 0, -1):
            place = generator.randrange(counts[left][state])
            for symbol, after in zip(self.alphabet, self.table[state], strict=True):
                if place < counts[left - 1][after]:
                    yield symbol
                    state = after
                    break
                place -= counts[left - 1][after]
