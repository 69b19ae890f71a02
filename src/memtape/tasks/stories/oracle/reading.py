"""Reading: the events that sentences about people, places and objects state."""

from memtape.tasks.stories.event import DROPPED, GAVE, MOVED, TOOK, Event
from memtape.tasks.stories.story import Sentence

VERBS = {
    verb.split()[0]: action
    for action, verbs in (("move", MOVED), ("take", TOOK), ("drop", DROPPED), ("give", GAVE))
    for verb in verbs
}
"""The action of each verb, by its first word."""

THEN = (("afterwards",), ("then",), ("after", "that"), ("following", "that"))
PRONOUNS = ("he", "she", "they")


def lower(sentence: Sentence) -> Sentence:
    """Return the words in lower case."""
    return tuple(word.lower() for word in sentence)


def events(sentences: tuple[Sentence, ...]) -> list[Event]:
    """Parse sentences; a pronoun refers to the people of the sentence before."""
    found: list[Event] = []
    for sentence in sentences:
        found.append(_event(lower(sentence), found[-1].people if found else ()))
    return found


def _event(words: Sentence, people_before: Sentence) -> Event:
    for phrase in THEN:
        if words[: len(phrase)] == phrase:
            words = words[len(phrase) :]
    count = 3 if words[1] == "and" else 1
    people, words = words[:count:2], words[count:]
    if people[0] in PRONOUNS:
        people = people_before
    action, last = VERBS[words[0]], words[-1]
    if action == "give":
        return Event(action, people, words[-3], last)
    return Event(action, people, words[-2] if last == "there" else last)
