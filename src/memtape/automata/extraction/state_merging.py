"""State merging: fewer states of a machine of which only some transitions are known."""

from collections.abc import Mapping, Sequence
from typing import Any

Steps = Mapping[Any, tuple[int, Any]]
"""The next state and the action of a state, by what the machine reads."""


class _Classes:
    """Classes of states, each with the known transitions and the known answer of its members."""

    def __init__(self, steps: Sequence[Steps], answers: Sequence[bool | None]):
        self.parent = list(range(len(steps)))
        self.steps = [dict(own) for own in steps]
        self.answers = list(answers)

    def of(self, state: int) -> int:
        """Return the member that represents the class of a state."""
        while self.parent[state] != state:
            state = self.parent[state]
        return state

    def copy(self) -> "_Classes":
        """Return an independent copy."""
        other = _Classes(self.steps, self.answers)
        other.parent = list(self.parent)
        return other

    def merge(self, first: int, second: int) -> bool:
        """Merge the classes of two states, and those of their next states; return whether nothing contradicts it."""
        pairs = [(first, second)]
        while pairs:
            kept, other = sorted(map(self.of, pairs.pop()))
            if kept == other:
                continue
            known = {self.answers[kept], self.answers[other]} - {None}
            if len(known) > 1:
                return False
            self.parent[other] = kept
            self.answers[kept] = next(iter(known), None)
            for read, (after, action) in self.steps[other].items():
                here, same = self.steps[kept].setdefault(read, (after, action))
                if same != action:
                    return False
                pairs.append((here, after))
        return True


def merged(steps: Sequence[Steps], answers: Sequence[bool | None]) -> list[int]:
    """Return for each state the number of its class; state 0 is in class 0.

    Two states are merged unless a known answer or action contradicts it, for them or for the states that follow both. What is
    not known of a state is taken from the states of its class.

    Args:
        steps: for each state, the next state and the action by what the machine reads, as far as they are known.
        answers: for each state, whether it accepts, None if that is not known.

    References:
        Oncina & Garcia (1992), "Inferring regular languages in polynomial updated time", in Pattern Recognition and Image
        Analysis, for the order and the folding; theirs starts from a tree of words.
    """
    classes = _Classes(steps, answers)
    kept: list[int] = []
    for state in range(len(steps)):
        if classes.of(state) != state:
            continue
        for other in kept:
            trial = classes.copy()
            if trial.merge(other, state):
                classes = trial
                break
        else:
            kept.append(state)
    found = [state for state in range(len(steps)) if classes.of(state) == state]
    return [found.index(classes.of(state)) for state in range(len(steps))]
