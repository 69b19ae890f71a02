"""Turing: Turing machines with one tape."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.state_names import named_states, require_states
from memtape.automata.definitions.words import Word, alphabet_of, numbers_of, shown
from memtape.core import checks

Direction = Literal["left", "stay", "right"]
OFFSETS: dict[str, int] = {"left": -1, "stay": 0, "right": 1}


@dataclass(frozen=True, kw_only=True)
class TapeMove:
    """A transition of a `TuringMachine`: next state, the symbol written, and how the head moves.

    Attributes:
        state: the next state.
        write: the symbol written to the cell under the head.
        move: the direction in which the head moves after the write.
    """

    state: str
    write: str
    move: Direction


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a Turing machine is in after a number of steps.

    Attributes:
        state: the state.
        head: the position of the head; 0 is the first cell of the input.
        tape: the symbol of each cell that is not blank, by its position.
        halted: whether no transition applies.
    """

    state: str
    head: int
    tape: Mapping[int, str]
    halted: bool


@dataclass(frozen=True, kw_only=True)
class TuringMachine:
    """A deterministic Turing machine with one tape that is unbounded on both sides.

    The machine halts if no transition applies, and accepts its input if it halts in an accepting state.

    Attributes:
        alphabet: the symbols of the tape; the first one is the blank.
        transitions: the move by state and symbol under the head.
        start: the state before the first step; the head is on the first symbol of the input.
        accepting: the states that accept if the machine halts there.

    Raises:
        AutomatonError: a symbol or a direction is unknown, or the start has no transition.

    References:
        Turing (1937), "On computable numbers, with an application to the Entscheidungsproblem", Proceedings of the London
        Mathematical Society 42, doi:10.1112/plms/s2-42.1.230.
    """

    alphabet: Sequence[str]
    transitions: Mapping[tuple[str, str], TapeMove]
    start: str
    accepting: Collection[str] = ()

    def __post_init__(self) -> None:
        """Check the machine."""
        object.__setattr__(self, "alphabet", alphabet_of("alphabet", self.alphabet))
        object.__setattr__(self, "accepting", frozenset(self.accepting))
        object.__setattr__(self, "transitions", dict(self.transitions))
        for (state, symbol), move in self.transitions.items():
            for used in (symbol, move.write):
                if used not in self.alphabet:
                    raise AutomatonError(
                        f"the transition of state {state} for {symbol!r} uses {used!r}, but the alphabet is "
                        f"{' '.join(self.alphabet)}; add the symbol to it"
                    )
            if move.move not in OFFSETS:
                raise AutomatonError(
                    f"the transition of state {state} for {symbol!r} moves {move.move!r}, but a head moves left, stay or "
                    "right; choose one of them"
                )
        require_states(self.start, {state for state, _ in self.transitions}, self.states, sorted(self.accepting))

    @property
    def blank(self) -> str:
        """The symbol of empty cells."""
        return self.alphabet[0]

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states, the start first, the others as the transitions list them."""
        return named_states(self.start, ((state, move.state) for (state, _), move in self.transitions.items()))

    def run(self, word: Word, *, steps: int) -> tuple[Configuration, ...]:
        """Return the configuration before the first step and after each step, until the machine halts.

        Args:
            word: the input, written from position 0 on.
            steps: largest number of steps.

        Raises:
            ValueError: the number of steps is below 0.
            AutomatonError: a symbol is outside the alphabet.
        """
        checks.at_least(0, steps=steps)
        numbers_of(word, {symbol: number for number, symbol in enumerate(self.alphabet)})
        tape = {place: symbol for place, symbol in enumerate(word) if symbol != self.blank}
        state, head = self.start, 0
        visited = []
        for _ in range(steps + 1):
            move = self.transitions.get((state, tape.get(head, self.blank)))
            visited.append(Configuration(state=state, head=head, tape=dict(tape), halted=move is None))
            if move is None:
                break
            tape[head] = move.write
            if move.write == self.blank:
                del tape[head]
            state, head = move.state, head + OFFSETS[move.move]
        return tuple(visited)

    def accepts(self, word: Word, *, steps: int = 10_000) -> bool:
        """Return whether the machine halts in an accepting state.

        Args:
            word: the input.
            steps: largest number of steps.

        Raises:
            AutomatonError: a symbol is outside the alphabet, or the machine does not halt within the steps.
        """
        return self._halted(word, steps).state in self.accepting

    def output(self, word: Word, *, steps: int = 10_000) -> tuple[str, ...]:
        """Return what is on the tape after the machine has halted, from the first to the last cell that is not blank.

        Args:
            word: the input.
            steps: largest number of steps.

        Raises:
            AutomatonError: a symbol is outside the alphabet, or the machine does not halt within the steps.
        """
        tape = self._halted(word, steps).tape
        if not tape:
            return ()
        return tuple(tape.get(place, self.blank) for place in range(min(tape), max(tape) + 1))

    def _halted(self, word: Word, steps: int) -> Configuration:
        last = self.run(word, steps=steps)[-1]
        if not last.halted:
            raise AutomatonError(
                f"the machine has not halted on {shown(word)!r} after {steps} steps; give more steps, or run it with `run`"
            )
        return last
