"""PDA: deterministic pushdown automata that read a symbol in every step."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.state_names import named_states, require_states
from memtape.automata.definitions.words import Word, alphabet_of, numbers_of


@dataclass(frozen=True, kw_only=True)
class StackMove:
    """A transition of a `PDA`: the next state, and what happens to the stack.

    Attributes:
        state: the next state.
        push: the stack symbol to push, None for no push.
        pop: whether to pop the top.
    """

    state: str
    push: str | None = None
    pop: bool = False


@dataclass(frozen=True, kw_only=True)
class PDA:
    """A deterministic real-time pushdown automaton: each symbol pushes, pops or keeps the stack.

    A word is rejected if no transition applies. It is accepted if the last state accepts and, with `empty_stack`, the
    stack is empty at the end.

    Attributes:
        alphabet: the symbols.
        stack_alphabet: the symbols of the stack.
        transitions: the move by state, symbol and top of the stack, None for the empty stack.
        start: the state before the first symbol; the stack is empty then.
        accepting: the accepting states.
        empty_stack: whether a word is accepted only with an empty stack.

    Raises:
        AutomatonError: a symbol is unknown, a move pushes and pops, or the empty stack is popped.

    References:
        Hopcroft, Motwani & Ullman (2007), "Introduction to automata theory, languages, and computation", section 6.4.
    """

    alphabet: Sequence[str]
    stack_alphabet: Sequence[str]
    transitions: Mapping[tuple[str, str, str | None], StackMove]
    start: str
    accepting: Collection[str]
    empty_stack: bool = True

    def __post_init__(self) -> None:
        """Check the machine."""
        object.__setattr__(self, "alphabet", alphabet_of("alphabet", self.alphabet))
        object.__setattr__(self, "stack_alphabet", alphabet_of("stack alphabet", self.stack_alphabet))
        object.__setattr__(self, "accepting", frozenset(self.accepting))
        object.__setattr__(self, "transitions", dict(self.transitions))
        for (state, symbol, top), move in self.transitions.items():
            place = f"the transition of state {state} for {symbol!r} with top {top or 'empty'!r}"
            if symbol not in self.alphabet:
                raise AutomatonError(
                    f"{place} reads {symbol!r}, but the alphabet is {' '.join(self.alphabet)}; add the symbol to it"
                )
            for used in (top, move.push):
                if used is not None and used not in self.stack_alphabet:
                    raise AutomatonError(
                        f"{place} uses {used!r}, but the stack alphabet is {' '.join(self.stack_alphabet)}; add it there"
                    )
            if move.pop and move.push is not None:
                raise AutomatonError(
                    f"{place} pops and pushes, but one step does one of both; keep the replaced symbol in the state"
                )
            if move.pop and top is None:
                raise AutomatonError(f"{place} pops, but the stack is empty there; remove the pop")
        require_states(self.start, {state for state, _, _ in self.transitions}, self.states, sorted(self.accepting))

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states, the start first, the others as the transitions list them."""
        return named_states(self.start, ((state, move.state) for (state, _, _), move in self.transitions.items()))

    def run(self, word: Word) -> tuple[tuple[str, tuple[str, ...]] | None, ...]:
        """Return the state and the stack, its top last, after each symbol; None from the symbol on that is rejected.

        Raises:
            AutomatonError: a symbol is outside the alphabet.
        """
        numbers_of(word, {symbol: number for number, symbol in enumerate(self.alphabet)})
        configuration: tuple[str, tuple[str, ...]] | None = (self.start, ())
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
        last = ((self.start, ()), *self.run(word))[-1]
        return last is not None and last[0] in self.accepting and not (self.empty_stack and last[1])

    def _after(self, state: str, stack: tuple[str, ...], symbol: str) -> tuple[str, tuple[str, ...]] | None:
        move = self.transitions.get((state, symbol, stack[-1] if stack else None))
        if move is None:
            return None
        if move.push is not None:
            return move.state, (*stack, move.push)
        return move.state, stack[:-1] if move.pop else stack
