"""Events: what a sentence about people, places and objects states."""

from dataclasses import dataclass

from memtape.tasks.stories.story import Sentence

MOVED = ("moved", "went", "travelled", "journeyed")
TOOK = ("got", "grabbed", "took", "picked")
DROPPED = ("dropped", "discarded", "left", "put")
GAVE = ("gave", "handed", "passed")
THEN = (("afterwards",), ("then",), ("after", "that"), ("following", "that"))
PRONOUNS = ("he", "she", "they")


@dataclass(frozen=True, slots=True)
class Event:
    """An action of people: a move to a place, or the transfer of an object.

    Attributes:
        action: "move", "take", "drop" or "give".
        people: who acts.
        thing: the place or the object.
        receiver: who is given the object; otherwise empty.
    """

    action: str
    people: Sentence
    thing: str
    receiver: str = ""


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
    if words[1] == "and":
        people, words = (words[0], words[2]), words[3:]
    else:
        people, words = (words[0],), words[1:]
    if people[0] in PRONOUNS:
        people = people_before
    verb, last = words[0], words[-1]
    if verb in MOVED:
        return Event("move", people, last)
    if verb in GAVE:
        return Event("give", people, words[-3], last)
    if verb not in (*TOOK, *DROPPED):
        raise ValueError(f"the sentence {' '.join(words)!r} has an unknown verb")
    return Event("take" if verb in TOOK else "drop", people, words[-2] if last == "there" else last)
