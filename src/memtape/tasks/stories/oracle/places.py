"""Places of people and objects: the answers of the tasks 1, 2, 3, 6, 11, 12 and 13."""

from collections import defaultdict

from memtape.tasks.stories.oracle.reading import events, lower
from memtape.tasks.stories.story import Sentence


def trails(sentences: tuple[Sentence, ...]) -> dict[str, list[str]]:
    """Return the places of each person and object, in order and without repetition.

    An object is where the person is who carries it. Its trail starts where a person whose place is known takes it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    holder_of: dict[str, str] = {}
    for event in events(sentences):
        for person in event.people:
            if event.action == "move":
                carried = (thing for thing, holder in holder_of.items() if holder == person)
                for mover in (person, *carried):
                    _visit(found[mover], event.thing)
            elif event.action == "take":
                holder_of[event.thing] = person
                for place in found[person][-1:]:
                    _visit(found[event.thing], place)
            elif event.action == "drop":
                holder_of.pop(event.thing, None)
    return found


def where_is(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Where is X?" for a person or an object."""
    return trails(sentences)[lower(question)[-1]][-1]


def where_before(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Where was the object before the place?": the place before its last visit there."""
    words = lower(question)
    trail = trails(sentences)[words[3]]
    last_visit = len(trail) - 1 - trail[::-1].index(words[-1])
    return trail[last_visit - 1]


def is_there(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "Is X in the place?"."""
    words = lower(question)
    return "yes" if where_is(sentences, words[:2]) == words[-1] else "no"


def _visit(trail: list[str], place: str) -> None:
    if trail[-1:] != [place]:
        trail.append(place)
