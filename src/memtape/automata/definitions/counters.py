"""Counters: finite automata with counters that can be tested for zero."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.state_names import named_states, require_states
from memtape.automata.definitions.words import Word, alphabet_of, numbers_of
from memtape.core import checks

Counts = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CounterMachine:
    """A deterministic finite automaton with counters, each changed by at most 1 for every symbol.

    A word is rejected if no transition applies. It is accepted if the last state accepts and, with `zero_counters`, every
    counter is 0 at the end.

    Attributes:
        alphabet: the symbols.
        counters: number of counters.
        transitions: next state and changes of the counters, by state, symbol and the tests of the counters: whether each is
            above 0.
        start: the state before the first symbol; the counters are 0 then.
        accepting: the accepting states.
        zero_counters: whether a word is accepted only with all counters at 0.

    Raises:
        TypeError: the number of counters is not an integer.
        ValueError: the number of counters is below 1.
        AutomatonError: a symbol is unknown, a transition has another number of tests or changes than counters, or a counter
            changes by more than 1 or falls below 0.

    References:
        Minsky (1967), "Computation: finite and infinite machines", chapter 11; Fischer, Meyer & Rosenberg (1968), "Counter
        machines and counter languages", Mathematical Systems Theory 2, doi:10.1007/BF01694011.
    """

    alphabet: Sequence[str]
    counters: int
    transitions: Mapping[tuple[str, str, tuple[bool, ...]], tuple[str, Counts]]
    start: str
    accepting: Collection[str]
    zero_counters: bool = True

    def __post_init__(self) -> None:
        """Check the machine."""
        checks.at_least(1, counters=self.counters)
        object.__setattr__(self, "alphabet", alphabet_of("alphabet", self.alphabet))
        object.__setattr__(self, "accepting", frozenset(self.accepting))
        object.__setattr__(self, "transitions", dict(self.transitions))
        for (state, symbol, tests), (_, changes) in self.transitions.items():
            place = f"the transition of state {state} for {symbol!r}"
            if symbol not in self.alphabet:
                raise AutomatonError(
                    f"{place} reads {symbol!r}, but the alphabet is {' '.join(self.alphabet)}; add the symbol to it"
                )
            if not len(tests) == len(changes) == self.counters:
                raise AutomatonError(
                    f"{place} has {len(tests)} tests and {len(changes)} changes, but there are {self.counters} counters; give "
                    "one of each for every counter"
                )
            for number, (positive, change) in enumerate(zip(tests, changes, strict=True)):
                if change not in (-1, 0, 1):
                    raise AutomatonError(
                        f"{place} changes counter {number} by {change}, but a counter changes by -1, 0 or 1; use more states"
                    )
                if change == -1 and not positive:
                    raise AutomatonError(
                        f"{place} decreases counter {number}, which is 0 there; remove the change or test for +"
                    )
        require_states(self.start, {state for state, _, _ in self.transitions}, self.states, sorted(self.accepting))

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states, the start first, the others as the transitions list them."""
        return named_states(self.start, ((state, after) for (state, _, _), (after, _) in self.transitions.items()))

    def run(self, word: Word) -> tuple[tuple[str, Counts] | None, ...]:
        """Return the state and the counters after each symbol; None from the symbol on that is rejected.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        numbers_of(word, {symbol: number for number, symbol in enumerate(self.alphabet)})
        configuration: tuple[str, Counts] | None = (self.start, (0,) * self.counters)
        visited = []
        for symbol in word:
            configuration = None if configuration is None else self._after(*configuration, symbol)
            visited.append(configuration)
        return tuple(visited)

    def accepts(self, word: Word) -> bool:
        """Return whether a word is accepted.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        last = ((self.start, (0,) * self.counters), *self.run(word))[-1]
        return last is not None and last[0] in self.accepting and not (self.zero_counters and any(last[1]))

    def _after(self, state: str, counts: Counts, symbol: str) -> tuple[str, Counts] | None:
        found = self.transitions.get((state, symbol, tuple(count > 0 for count in counts)))
        if found is None:
            return None
        after, changes = found
        return after, tuple(count + change for count, change in zip(counts, changes, strict=True))
