"""SCAN grammar: all 20,910 commands, and the sequence of actions of each."""

from collections.abc import Iterator

VERBS = ("jump", "look", "run", "walk")
SIDES = ("left", "right")
TIMES = {"twice": 2, "thrice": 3}
WORDS = tuple(sorted((*VERBS, *SIDES, *TIMES, "and", "after", "around", "opposite", "turn")))

ACTIONS = ("I_JUMP", "I_LOOK", "I_RUN", "I_TURN_LEFT", "I_TURN_RIGHT", "I_WALK")


def commands() -> Iterator[str]:
    """Yield all commands: one clause, or two joined by "and" or "after"."""
    sentences = [" ".join([phrase, *often]) for phrase in _phrases() for often in ((), *((word,) for word in TIMES))]
    yield from sentences
    for joint in ("and", "after"):
        yield from (f"{first} {joint} {second}" for first in sentences for second in sentences)


def _phrases() -> Iterator[str]:
    yield from VERBS
    for verb in (*VERBS, "turn"):
        for manner in ("", "opposite ", "around "):
            yield from (f"{verb} {manner}{side}" for side in SIDES)


def actions(command: str) -> list[str]:
    """Translate a command into its sequence of actions.

    Example:
        >>> actions("jump around left after walk twice")[:4]
        ['I_WALK', 'I_WALK', 'I_TURN_LEFT', 'I_JUMP']

    References:
        Lake & Baroni (2018), arXiv:1711.00350, supplementary material, figures 6 and 7.
    """
    for joint in (" and ", " after "):
        if joint in command:
            parts = [actions(part) for part in command.split(joint)]
            return [action for part in (parts if joint == " and " else parts[::-1]) for action in part]
    verb, *rest = command.split()
    often = TIMES[rest.pop()] if rest and rest[-1] in TIMES else 1
    done = [] if verb == "turn" else [f"I_{verb.upper()}"]
    if not rest:
        return done * often
    turn = [f"I_TURN_{rest[-1].upper()}"]
    whole = {"opposite": turn * 2 + done, "around": (turn + done) * 4}.get(rest[0], turn + done)
    return whole * often
