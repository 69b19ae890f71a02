"""State names: the states that a table of transitions mentions."""

from collections.abc import Collection, Iterable

from memtape.automata.definitions.errors import AutomatonError


def named_states(start: str, pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return all states, the start first, the others in order of appearance.

    Args:
        start: the start.
        pairs: the state before and the state after each transition.
    """
    return tuple(dict.fromkeys([start, *(state for pair in pairs for state in pair)]))


def require_states(start: str, sources: Collection[str], states: Collection[str], accepting: Collection[str]) -> None:
    """Raise unless a transition leaves the start, and the accepting states are known.

    Args:
        start: the start.
        sources: the states that transitions leave.
        states: all states.
        accepting: the accepting states.

    Raises:
        AutomatonError: names the state.
    """
    if start not in sources:
        raise AutomatonError(
            f"the start is {start!r}, but no transition leaves it; add its transitions or correct its name"
        )
    for state in accepting:
        if state not in states:
            raise AutomatonError(
                f"the accepting states contain {state!r}, but no transition has this state; correct its name"
            )
