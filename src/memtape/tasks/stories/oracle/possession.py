"""Possession: who carries what, and who gave it; the answers of the tasks 5, 7 and 8."""

from memtape.tasks.stories.event import Event
from memtape.tasks.stories.oracle.reading import events, lower
from memtape.tasks.stories.story import Sentence

NUMBERS = ("none", "one", "two", "three")


def carried(sentences: tuple[Sentence, ...], person: str) -> list[str]:
    """Return the objects that a person carries, in the order in which the person first received them."""
    received: dict[str, bool] = {}
    for event in events(sentences):
        if person == event.receiver or (event.action == "take" and person in event.people):
            received[event.thing] = True
        elif event.action in ("drop", "give") and person in event.people:
            received[event.thing] = False
    return [thing for thing, is_held in received.items() if is_held]


def how_many(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "How many objects is X carrying?"."""
    return NUMBERS[len(carried(sentences, lower(question)[-2]))]


def what_carried(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer "What is X carrying?": the objects in the order in which X first received them."""
    return ",".join(carried(sentences, lower(question)[-2])) or "nothing"


def who_gave_what(sentences: tuple[Sentence, ...], question: Sentence) -> str:
    """Answer a question about the giver, the object or the receiver of the latest fitting gift."""
    words = lower(question)
    gifts = [event for event in reversed(events(sentences)) if event.action == "give"]
    if words[:2] == ("what", "did"):  # What did X give to Y?
        return _first(gifts, giver=words[2], receiver=words[-1]).thing
    if words[:2] == ("who", "did"):  # Who did X give the object to?
        return _first(gifts, giver=words[2], thing=words[-2]).receiver
    if words[:2] == ("who", "received"):  # Who received the object?
        return _first(gifts, thing=words[-1]).receiver
    if words[-2] == "to":  # Who gave the object to Y?
        return _first(gifts, thing=words[3], receiver=words[-1]).people[0]
    return _first(gifts, thing=words[-1]).people[0]  # Who gave the object?


def _first(gifts: list[Event], *, giver: str = "", thing: str = "", receiver: str = "") -> Event:
    return next(
        gift
        for gift in gifts
        if giver in ("", gift.people[0]) and thing in ("", gift.thing) and receiver in ("", gift.receiver)
    )
