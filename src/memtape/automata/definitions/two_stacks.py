"""Two stacks: finite automata with two stacks of bits, which compute what Turing machines compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.state_names import named_states, require_states
from memtape.core import checks

Top = Literal["0", "1", "empty"]
Change = Literal["keep", "pop", "push0", "push1"]
TOPS: tuple[Top, ...] = ("0", "1", "empty")
CHANGES: tuple[Change, ...] = ("keep", "pop", "push0", "push1")


@dataclass(frozen=True, kw_only=True)
class TwoStackConfiguration:
    """What a machine with two stacks is in after a number of steps.

    Attributes:
        state: the state.
        stacks: the bits of both stacks, the top first.
        halted: whether no transition applies.
    """

    state: str
    stacks: tuple[str, str]
    halted: bool


@dataclass(frozen=True, kw_only=True)
class TwoStackMachine:
    """A deterministic machine with two stacks of bits; its input is the initial content of the stacks.

    The machine halts if no transition applies.

    Attributes:
        transitions: next state and the changes of both stacks, by state and the tops of both stacks.
        start: the state before the first step.

    Raises:
        AutomatonError: a top or a change is unknown, the empty stack is popped, or the start has no transition.

    References:
        Minsky (1967), "Computation: finite and infinite machines", chapter 10: two stacks hold the two halves of a tape.
    """

    transitions: Mapping[tuple[str, Top, Top], tuple[str, Change, Change]]
    start: str

    def __post_init__(self) -> None:
        """Check the machine."""
        object.__setattr__(self, "transitions", dict(self.transitions))
        for (state, *tops), (_, *changes) in self.transitions.items():
            for number, (top, change) in enumerate(zip(tops, changes, strict=True)):
                place = f"the transition of state {state} for the tops {tops[0]!r} and {tops[1]!r}"
                if top not in TOPS:
                    raise AutomatonError(
                        f"{place} has the top {top!r}, but tops are {', '.join(TOPS)}; choose one of them"
                    )
                if change not in CHANGES:
                    raise AutomatonError(
                        f"{place} has the change {change!r}, but changes are {', '.join(CHANGES)}; choose one of them"
                    )
                if top == "empty" and change == "pop":
                    raise AutomatonError(f"{place} pops stack {number + 1}, which is empty there; remove the pop")
        require_states(self.start, {state for state, _, _ in self.transitions}, self.states, ())

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states, the start first, the others as the transitions list them."""
        return named_states(self.start, ((state, after) for (state, _, _), (after, _, _) in self.transitions.items()))

    def run(self, first: str, second: str = "", *, steps: int) -> tuple[TwoStackConfiguration, ...]:
        """Return the configuration before the first step and after each step, until the machine halts.

        Args:
            first: the bits of the first stack, the top first.
            second: the bits of the second stack, the top first.
            steps: largest number of steps.

        Raises:
            ValueError: the number of steps is below 0.
            AutomatonError: a stack holds something else than bits.
        """
        checks.at_least(0, steps=steps)
        state, stacks = self.start, [bits_of(first), bits_of(second)]
        visited = []
        for _ in range(steps + 1):
            tops: list[Top] = ["empty" if not stack else "1" if stack[0] == "1" else "0" for stack in stacks]
            found = self.transitions.get((state, tops[0], tops[1]))
            visited.append(TwoStackConfiguration(state=state, stacks=(stacks[0], stacks[1]), halted=found is None))
            if found is None:
                break
            state = found[0]
            stacks = [_changed(stack, change) for stack, change in zip(stacks, found[1:], strict=True)]
        return tuple(visited)


def bits_of(stack: str) -> str:
    """Return the content of a stack, after a check that it consists of bits.

    Raises:
        AutomatonError: it has another character.
    """
    if set(stack) - {"0", "1"}:
        raise AutomatonError(f"the stack is {stack!r}, but it holds bits; give a text of 0 and 1, the top first")
    return stack


def _changed(stack: str, change: str) -> str:
    if change == "keep":
        return stack
    return stack[1:] if change == "pop" else change[-1] + stack
